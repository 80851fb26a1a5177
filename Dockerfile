# The images of the operator and of a bot's pod (engine and observer).
#
#   make images                                  stages the dependencies and builds all three
#   docker build --target operator --build-arg PYTHON_BASE=... .    one, after `make images`
#
# The build needs no network: dependencies lie in build/images/*/site-packages, checked
# against the hashes in requirements/. It works with Docker's classic builder, which has
# neither mounts nor heredocs.
#
# What changes most often comes last, so new code makes one small layer. Bytecode is
# compiled here, by the Python that will run it, since the root file system of the
# containers is read-only; it is never checked against its source, which cannot change.

# A release names its base by digest: --build-arg PYTHON_BASE=python@sha256:...
ARG PYTHON_BASE=python:3.13-slim

# Without shells, package managers and pip: what runs here needs none of them, and whoever gets in finds none. Not every base has them.
FROM ${PYTHON_BASE} AS bare
RUN ["python3", "-B", "-c", "import glob, os; [os.unlink(path) for name in ('*sh', 'apt*', 'dpkg*', 'perl*') for path in glob.glob('/usr/bin/' + name)]"]
RUN ["python3", "-B", "-c", "import glob, shutil; [shutil.rmtree(path) for path in glob.glob('/usr/local/lib/python3*/site-packages/pip*')]"]

FROM ${PYTHON_BASE} AS operator-build
COPY build/images/operator/site-packages /app/site-packages
RUN ["python3", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "/app/site-packages"]
COPY engine/tradingbot_contract /app/code/tradingbot_contract
COPY operator/tradingbot_operator /app/code/tradingbot_operator
RUN ["python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "/app/code"]

FROM bare AS operator
LABEL org.opencontainers.image.title="tradingbot-operator" \
      org.opencontainers.image.description="Runs fleets of trading bots on Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PYTHONPATH=/app/code:/app/site-packages \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=operator-build /app/site-packages /app/site-packages
USER 65532:65532
ENTRYPOINT ["python3", "-m", "tradingbot_operator"]
COPY --from=operator-build /app/code /app/code

FROM ${PYTHON_BASE} AS engine-build
COPY build/images/engine/site-packages /app/site-packages
RUN ["python3", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "/app/site-packages"]
COPY engine/tradingbot_contract /app/code/tradingbot_contract
COPY engine/tradingbot_engine /app/code/tradingbot_engine
COPY engine/tradingbot_observer /app/code/tradingbot_observer
RUN ["python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "/app/code"]

# The observer runs from this image too, with another module and another uid.
FROM bare AS engine
LABEL org.opencontainers.image.title="tradingbot-engine" \
      org.opencontainers.image.description="A trading bot's engine and its observer" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PYTHONPATH=/app/code:/app/site-packages \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=engine-build /app/site-packages /app/site-packages
USER 10001:10001
ENTRYPOINT ["python3", "-m", "tradingbot_engine"]
COPY --from=engine-build /app/code /app/code

# The same with what runs models: a layer of its own on top, so that a node has the rest once.
FROM ${PYTHON_BASE} AS engine-sentiment-build
COPY build/images/engine-sentiment/site-packages /app/sentiment-packages
RUN ["python3", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "/app/sentiment-packages"]

FROM engine AS engine-sentiment
LABEL org.opencontainers.image.title="tradingbot-engine-sentiment" \
      org.opencontainers.image.description="A trading bot's engine and its observer, with what judges news by models"
ENV PYTHONPATH=/app/code:/app/site-packages:/app/sentiment-packages
COPY --from=engine-sentiment-build /app/sentiment-packages /app/sentiment-packages
