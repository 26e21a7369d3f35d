// Where the API lives. Deploying rewrites this file, and `make serve` answers with its own:
//   window.HPE_CONFIG = { apiUrl: "" };                           the same origin as this page
//   window.HPE_CONFIG = { apiUrl: "https://....amazonaws.com" };  anywhere else
// Also read: auth ("key" or "jwt" where the API wants one), uploads (true where POST /uploads exists) and photoDays
// (after how many days such photos are deleted), maxBytes, timeoutMs.
window.HPE_CONFIG = {};
