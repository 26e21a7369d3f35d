# syntax=docker/dockerfile:1
# The website and the API for a machine of your own:
#   docker build -t hpe . && docker run --rm --read-only --tmpfs /tmp -p 127.0.0.1:8000:8000 hpe
FROM node:24-slim AS private
WORKDIR /private
COPY package.json package-lock.json ./
# onnxruntime-web alone, of the lock file's version: the website's private mode runs it in the browser
RUN npm ci --omit=dev --ignore-scripts

FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements.txt requirements-cli.txt ./
RUN python -m venv /opt/hpe && /opt/hpe/bin/pip install --no-cache-dir -r requirements-cli.txt
COPY pyproject.toml README.md LICENSE ./
COPY hpe/ hpe/
COPY models/ models/
COPY static-site/ static-site/
RUN /opt/hpe/bin/pip install --no-cache-dir --no-deps .

FROM python:3.13-slim
COPY --from=build /opt/hpe /opt/hpe
COPY --from=private \
  /private/node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs \
  /private/node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm \
  /opt/hpe/lib/python3.13/site-packages/hpe/node_modules/onnxruntime-web/dist/
# nobody: it may read all of it and write to /tmp alone
USER 65534
EXPOSE 8000
HEALTHCHECK --start-period=20s CMD ["/opt/hpe/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=5)"]
CMD ["/opt/hpe/bin/hpe", "serve", "--host", "0.0.0.0", "--port", "8000"]
