# nginx in front: serves the finished site from its volume and hands the API's paths to the services.
FROM nginx:1.29-alpine

COPY docker/nginx/ /etc/nginx/
COPY shared/docs.html /usr/share/rotative/docs.html

# The same number as in the services' images: whichever container comes first gives the volume its owner.
RUN mkdir -p /srv/site && chown 10001:10001 /srv/site

USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGQUIT
ENTRYPOINT []
CMD ["sh", "/etc/nginx/start.sh"]
