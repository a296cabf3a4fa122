# The workload of ./k42 demo: dash, seq, xargs, grep, sort and sqlite3, as Debian has them.
#
#     sh demo.sh TEXT ROUNDS FOLDER
#
# Each round searches the text for eight words, four searches at a time, and keeps what was found in
# a database. What it writes depends on the text and the number of rounds alone; it ends early, at
# the end of a round, when there is a file "enough" in the folder.
LC_ALL=C
export LC_ALL
text=$1
rounds=$2
cd "$3" || exit 1
sqlite3 found.db 'create table found(round, word, lines)' || exit 1
round=0
while [ "$round" -lt "$rounds" ] && [ ! -e enough ]; do
    round=$((round + 1))
    seq 0 7 | xargs -P 4 -I WORD sh -c "echo WORD \$(grep -c 'needleWORD' '$text')" | sort > counts
    while read -r word lines; do
        echo "insert into found values($round, $word, $lines);"
    done < counts | sqlite3 found.db
    echo "$round $(tr '\n' ' ' < counts)$(sqlite3 found.db 'select count(*), sum(round * lines) from found')"
done
