// Where the API lives. Deploying rewrites this file, and `make serve` answers with its own:
//   window.HPE_CONFIG = { apiUrl: "" };                           the same origin as this page
//   window.HPE_CONFIG = { apiUrl: "https://....amazonaws.com" };  anywhere else
// Also read: uploads (true where POST /uploads exists), maxBytes, timeoutMs.
window.HPE_CONFIG = {};
