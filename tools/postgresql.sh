#!/usr/bin/env bash
# Installs Debian's PostgreSQL, for examples/queue-worker and its test, if the machine has none.
set -euo pipefail

if ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
  echo '  postgresql: installing'
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update
  # No cluster of the system's: the example makes its own.
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  apt-get -qq install --no-install-recommends postgresql >/dev/null
fi
