# The image of one service: its own code, what all services share, and nothing of the others.
#   docker build --build-arg SERVICE=publish --file docker/service.Dockerfile --tag rotative-publish .
FROM python:3.13-slim

ARG SERVICE

ENV PYTHONUNBUFFERED=1 \
    ROTATIVE_DATA_DIR=/var/lib/rotative

# A volume takes over the owner of the folder that it is first put on.
RUN groupadd --gid 10001 rotative && useradd --uid 10001 --gid rotative --no-create-home rotative \
 && mkdir -p /var/lib/rotative /srv/site /srv/media \
 && chown rotative:rotative /var/lib/rotative /srv/site /srv/media

WORKDIR /app

COPY requirements/${SERVICE}.txt requirements.txt
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement requirements.txt

COPY shared/ shared/
COPY services/__init__.py services/__init__.py
COPY services/${SERVICE}/ services/${SERVICE}/
RUN python -m compileall -q shared services

USER 10001:10001
EXPOSE 8000
