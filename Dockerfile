# elmo serve on a CPU: docker build -t elmokit . && docker run --rm -p 8000:8000 -e ELMOKIT_TOKEN=at-least-16-characters elmokit
FROM python:3.11-slim-bookworm AS build
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY pyproject.toml hatch_build.py constraints.txt README.md LICENSE ./
COPY src src
RUN python -m venv /opt/elmokit \
 && sed 's/^torch==\([0-9.]*\)$/torch==\1+cpu/' constraints.txt > /tmp/constraints.txt \
 && /opt/elmokit/bin/pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu -c /tmp/constraints.txt '.[web]'

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 10001 elmo
COPY --from=build /opt/elmokit /opt/elmokit
ENV PATH=/opt/elmokit/bin:$PATH OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 PYTHONUNBUFFERED=1
USER 10001
WORKDIR /home/elmo
EXPOSE 8000
HEALTHCHECK --start-period=60s --interval=30s --timeout=5s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
# Any address but this machine's own needs a token: pass ELMOKIT_TOKEN.
ENTRYPOINT ["elmo"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
