# Redis on a socket alone. What a command leaves running is ended with it, so each starts a server,
# works with it and ends it.
cd /tmp/base || exit 99
told() { redis-cli -s socket info | tr -d '\r' | sed -n "s/^$1://p"; }

start() {
    redis-server --port 0 --unixsocket /tmp/base/socket --dir /tmp/base --save '' --loglevel notice \
        --enable-debug-command yes --logfile log "$@" &
    server=$!
    until [ "$(redis-cli -s socket ping 2> none)" = PONG ]; do
        kill -0 $server || { cat log; exit 98; }
        sleep 0.1
    done
}

stop() {
    redis-cli -s socket shutdown "$1"
    wait $server
    echo ended $?
}

ask() { redis-cli -s socket "$@"; }

# Strings, lists, sets, sorted sets, hashes, streams; each of some size, and some that run out.
fill() {
    awk -v rows="$1" 'BEGIN {
        for (n = 0; n < rows; n++) {
            printf "SET string:%d value%d\nRPUSH list:%d a%d b%d\n", n, n * 7919, n % 97, n, n
            printf "SADD set:%d m%d\nZADD sorted:%d %d z%d\n", n % 89, n, n % 83, n * 31 % 1009, n
            printf "HSET hash:%d f%d v%d\nXADD stream:%d %d-1 k v%d\n", n % 79, n, n, n % 7, n + 1, n
            printf "SETEX soon:%d 100000 x\nINCRBY counter %d\n", n, n
        }
    }' | ask --pipe | tail -n 1
}
