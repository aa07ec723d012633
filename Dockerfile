# One image, three services; the first word chooses: `authserver serve`, `api`, `client notes`.
# docker-compose.yml says what each of them needs.

FROM python:3.13-slim AS packages
COPY requirements-image.lock /
RUN python -m venv --without-pip /venv \
    && pip --python /venv/bin/python install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
       --require-hashes --requirement /requirements-image.lock

FROM python:3.13-slim
COPY --from=packages /venv /venv
WORKDIR /app
COPY healthcheck.py ./
COPY authserver ./authserver
COPY api ./api
COPY client ./client
# Compiled now, because nobody may write here later. /data is what lasts: private, as keys and tokens lie in it.
RUN python -m compileall -q . && install -d -m 0700 -o 10001 -g 10001 /data
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/data \
    UNDERSTUDY_CONTAINER=1 \
    AUTHSERVER_DATABASE_URL=sqlite:////data/authserver.db \
    API_DATABASE_URL=sqlite:////data/notes.db \
    CLIENT_TOKEN_DIR=/data/tokens
USER 10001:10001
VOLUME /data
EXPOSE 9000 8000 8400
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --start-interval=1s \
    CMD ["python", "-I", "/app/healthcheck.py"]
ENTRYPOINT ["python", "-m"]
CMD ["authserver", "serve"]
