# Two images from one file: `--target api` (without TensorFlow) and `--target worker`.

ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS api-build
RUN python -m venv /opt/ktl
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY app app
COPY worker worker
COPY migrations migrations
# Weights of photo networks: the API looks whether they are there, and workers read them.
# `--build-arg VISION=` leaves them out, and 60 MB with them.
ARG VISION=,vision
# What both need of what they lack: `--build-arg EXTRAS=,text,heic` for sentence encoders and HEIC.
ARG EXTRAS=
RUN /opt/ktl/bin/pip install --no-cache-dir -c constraints.txt \
    ".[api,fast,pictures,postgres,s3${VISION}${EXTRAS}]"

FROM api-build AS worker-build
# `--build-arg DEMO=` leaves out catalog:mnist_5k, and 180 MB with it.
ARG DEMO=,demo
RUN /opt/ktl/bin/pip install --no-cache-dir -c constraints.txt ".[worker,fast,postgres,s3${DEMO}]"

FROM python:${PYTHON}-slim AS runtime
# A volume that is mounted at /data for the first time takes this folder's owner.
RUN useradd --uid 10001 --create-home ktl && install -d -o ktl -g ktl /data
ENV PATH=/opt/ktl/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TF_CPP_MIN_LOG_LEVEL=2 \
    KTL_DATA_DIR=/data
USER ktl
WORKDIR /data
VOLUME /data

FROM runtime AS api
COPY --from=api-build /opt/ktl /opt/ktl
ENV KTL_HOST=0.0.0.0 KTL_PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"KTL_PORT\"]}/healthz', timeout=2)"]
CMD ["ktl", "api"]

FROM runtime AS worker
COPY --from=worker-build /opt/ktl /opt/ktl
CMD ["ktl", "worker"]
