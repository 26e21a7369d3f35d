import js from "@eslint/js";
import globals from "globals";

const rules = {
  ...js.configs.recommended.rules,
  eqeqeq: "error",
  "no-var": "error",
  "prefer-const": "error",
  "no-implicit-globals": "error",
  "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
  "no-alert": "error",
  "no-eval": "error",
  "no-console": "error",
};

export default [
  { ignores: ["node_modules/", ".venv/", "build/", "runs/"] },
  { files: ["static-site/**/*.js"], languageOptions: { globals: globals.browser }, rules },
  { files: ["tests/site/**/*.js", "tests/deploy/**/*.js", "deploy/**/*.js"], languageOptions: { globals: globals.node }, rules },
];
