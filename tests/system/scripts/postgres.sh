# PostgreSQL on a socket of its own, as a user who is not root. What a command leaves running is ended
# with it, so each starts a server, works with it and ends it.
PATH=/usr/lib/postgresql/15/bin:$PATH
export PATH PGHOST=/tmp/base PGUSER=postgres PGDATABASE=postgres PGDATA=/tmp/base/data
cd /tmp/base || exit 99

ask() { psql -X -q -A -t -c "$1"; }

start() { pg_ctl -s -w -t 600 -l log start || { cat log; exit 98; }; }

stop() { pg_ctl -s -w -t 600 -m "${1:-fast}" stop || { cat log; exit 97; }; }

make() {
    initdb -U postgres -A trust -E UTF8 --locale=C --data-checksums > initdb.out 2>&1 || { cat initdb.out; exit 96; }
    cat >> data/postgresql.conf <<END
listen_addresses = ''
unix_socket_directories = '/tmp/base'
max_prepared_transactions = 4
shared_buffers = 32MB
max_wal_size = 96MB
log_checkpoints = off
END
}

# Branches, tellers and accounts of as many million as there were transfers; the sums say which.
sums() {
    ask "select (select sum(abalance) from pgbench_accounts) = coalesce(sum(delta), 0)
              and (select sum(tbalance) from pgbench_tellers) = coalesce(sum(delta), 0)
              and (select sum(bbalance) from pgbench_branches) = coalesce(sum(delta), 0)
         from pgbench_history"
}

transfers() { ask "select count(*) from pgbench_history"; }

# What a killed server left becomes right again: every index leads to every row, every page has its sum.
check() {
    pg_amcheck --install-missing --heapallindexed -d postgres && echo indexes right
    stop
    pg_checksums --check | grep -E 'Bad|Checksum op'
}
