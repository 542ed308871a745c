#!/bin/sh
# nginx, and beside it a loop that takes over the redirects which publish has written. nginx reads them when it is told
# to; until then publish answers them. A map that nginx cannot read is left alone.
set -u
: > /tmp/redirects.map

take_over() {
    cp /srv/site/redirects.map /tmp/redirects.new 2>/dev/null || return 1
    cmp -s /tmp/redirects.new /tmp/redirects.map && return 1
    mv /tmp/redirects.map /tmp/redirects.old
    mv /tmp/redirects.new /tmp/redirects.map
    nginx -e /dev/stderr -t -q && return 0
    mv /tmp/redirects.old /tmp/redirects.map
    return 1
}

take_over || true
(
    while sleep 5; do
        take_over && kill -HUP "$(cat /tmp/nginx.pid)"
    done
) &
exec nginx -e /dev/stderr -g 'daemon off;'
