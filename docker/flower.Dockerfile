# Flower, which shows the tasks of all services. It needs none of their code.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1

RUN groupadd --gid 10001 rotative && useradd --uid 10001 --gid rotative --no-create-home rotative

WORKDIR /app

COPY requirements/flower.txt requirements.txt
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement requirements.txt

COPY docker/flower/celeryconfig.py celeryconfig.py

USER 10001:10001
EXPOSE 5555
CMD ["celery", "--config", "celeryconfig", "flower", "--address=0.0.0.0", "--port=5555", "--read-only", \
     "--max-tasks=5000", "--max-workers=100", "--purge-offline-workers=60"]
