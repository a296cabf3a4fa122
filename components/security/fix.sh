#!/bin/bash
# A hole in the running kernel is closed while a server answers; docs/upgrade.md tells the story.
#
#     bash fix.sh DIR    with process_unchecked.k42 and process_checked.k42 in DIR
#
# The server answers each line it is sent, from beginning to end the same process. Its client counts
# answers, and those that are wrong. The intruder is one process of nobody's, which root has given 64
# open files at most, and which tries to have more each time it is told to.
set -e
PATH=/usr/sbin:$PATH
folder=$(mktemp -d); cd "$folder"; mkfifo asked answered told tried

serve() {
    while read -r line; do echo "answer to $line"; done < asked > answered
}
ask() {
    exec 5> asked 6< answered
    n=0 wrong=0
    while [ ! -e "$folder/over" ]; do
        n=$((n + 1)); echo "question $n" >&5; read -r line <&6
        [ "$line" = "answer to question $n" ] || wrong=$((wrong + 1))
        echo "$n" > "$folder/count"
    done
    [ $n -gt 10 ] && echo "the server has answered, $wrong of its answers were wrong"
}
intrude() {
    most=64; ulimit -n $most
    exec setpriv --reuid=65534 --regid=65534 --clear-groups bash -c '
        while read -r _; do
            if ulimit -n $(($(ulimit -Hn) + 1000)) 2> /dev/null
            then echo "the intruder may open $(ulimit -n) files"
            else echo "the intruder is refused: no more than $(ulimit -n) files"; fi
        done' < told > tried
}
try() {
    echo go >&7; read -r said <&8; echo "$said"
}
# Until the client has had some more answers.
converse() {
    from=$(cat count 2> /dev/null || echo 0)
    until [ "$(cat count 2> /dev/null || echo 0)" -gt $((from + 3)) ]; do sleep 0.05; done 2> /dev/null
}

k42ctl upgrade "$1/process_unchecked.k42"
serve & server=$!
ask & client=$!
intrude & exec 7> told 8< tried
converse; try
k42ctl upgrade "$1/process_checked.k42"; k42ctl unload process_unchecked
converse; try
kill -0 $server; touch over; wait $client
exec 7>&- 8<&-; wait
k42ctl upgrade process.linux 1; k42ctl unload process_checked
