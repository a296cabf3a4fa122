# What a POSIX shell does with processes, pipes, files and signals. Runs the same under dash and
# bash; every part prints what it found, so that two systems can be compared line by line.
part() { printf '== %s\n' "$*"; }

part parameters
set -- one 'two words' three
echo "$# $1 $2 ${3}"
shift
echo "$# $*"
for word in "$@"; do printf '<%s>' "$word"; done; echo
unset empty; echo "${empty:-default} ${empty:=assigned} $empty ${empty:+other} ${#empty}"
name=/usr/local/lib/libfoo.so.1.2
echo "${name##*/} ${name%/*} ${name%%.*} ${name#/*/}"
( : "${missing:?is not set}" ) 2>/dev/null; echo "status $?"
IFS=:; set -- a:b:c; echo $1; IFS=' 	
'

part arithmetic
i=0; sum=0
while [ $i -lt 1000 ]; do i=$((i + 1)); sum=$((sum + i * i % 7)); done
echo $i $sum $((0x1f)) $((017)) $((5 > 3 && 2 < 1)) $((~5)) $((1 << 40)) $((-7 / 2)) $((-7 % 3))
a=5; echo $((a += 3)) $a $((a == 8 ? 10 : 20))

part functions
fibonacci() {
    if [ "$1" -lt 2 ]; then echo "$1"; else
        echo $(($(fibonacci $(($1 - 1))) + $(fibonacci $(($1 - 2)))))
    fi
}
fibonacci 7
countdown() { [ "$1" -eq 0 ] && return 9; countdown $(($1 - 1)); }
countdown 200; echo "returned $?"

part case and loops
for word in apple 12 'a b' '' -x '[z]'; do
    case $word in
    [0-9]*) echo number ;;
    a*b) echo between ;;
    a*) echo letter ;;
    '') echo nothing ;;
    -*) echo option ;;
    \[*\]) echo brackets ;;
    esac
done
for i in 1 2 3 4 5; do
    [ $i -eq 2 ] && continue
    [ $i -eq 4 ] && break
    echo $i
done
until [ $i -ge 8 ]; do i=$((i + 2)); done; echo $i

part here-documents
cat <<END
sum is $sum, name is ${name##*/}, $(echo command), \$escaped
END
cat <<'END'
$sum $(not run) `nor this`
END
cat <<-END
	tabs are taken away
		all of them
	END
cat <<ONE; cat <<TWO
first
ONE
second
TWO
i=0; while [ $i -lt 2000 ]; do echo "line $i of a long document"; i=$((i + 1)); done > long
{ echo 'cat <<END | cksum'; cat long; echo END; } > script; . ./script

part redirection
echo one > file; echo two >> file; cat < file
{ echo out; echo err >&2; } > both 2>&1; cat both
{ echo out; echo err >&2; } 2>&1 > only | cat; cat only
exec 3> third; echo through 3 >&3; exec 3>&-; cat third
exec 4< file; read -r line <&4; echo "$line"; read -r line <&4; echo "$line"; exec 4<&-
echo closed 2>/dev/null >&9; echo "status $?"
set -C; echo again 2>/dev/null > file; echo "noclobber $?"; echo forced >| file; cat file; set +C
cat < missing 2>/dev/null; echo "missing $?"
(exec 5<>file; echo ab >&5; cat <&5; cat file)
ls /dev/fd/ > /dev/null && echo devices

part pipelines
seq 100 | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat |
    cat | cat | cat | tail -n 2
seq 20000 | sort -r | sort -n | uniq | sed 's/^/x/' | tr x y | cut -c2- | awk '{s += $1} END {print s}'
yes | head -n 3
false | true; echo $?
true | false; echo $?
! true; echo $?
echo in | { read -r x; echo "read $x"; }
x=before; echo after | read -r x; echo $x | grep -c e
(echo sub; exit 3) | cat; (exit 4); echo $?
seq 5 | while read -r n; do echo $((n * n)); done | paste -s -d+ -

part command substitution
echo "$(echo "$(echo "$(echo deep)")")"
echo "lines: $(seq 3)"
x=$(exit 7); echo $?
echo `echo back\`echo ticks\``
y=$(cat long); echo ${#y}
z=$(yes x | head -n 50000 | tr -d '\n'); echo ${#z}

part subshells and processes
x=1; (x=2; echo $x); echo $x
(cd /; pwd); pwd | grep -c '^/tmp/test$'
{ x=3; }; echo $x
sh -c 'echo $0 $1 $#' zero one two
env -i A=1 B=2 sh -c 'echo $A$B'
A=5 sh -c 'echo $A'; echo "${A:-unset}"
export C=7; sh -c 'echo $C'; unset C; sh -c 'echo ${C:-none}'
i=0; while [ $i -lt 30 ]; do (exit $i) || status=$?; i=$((i + 1)); done; echo $status
exec 6>&1; (exec >&6; echo via six); exec 6>&-

part background
sleep 0.05 & pid=$!
wait $pid; echo "slept $?"
(exit 5) & wait $!; echo $?
for i in 1 2 3 4 5 6 7 8; do (sleep 0.0$i; echo $i > done.$i) & done; wait; cat done.*
sh -c 'kill -TERM $$'; echo $?
sleep 1000 & kill $!; wait $! 2>/dev/null; echo $?
sleep 1000 & kill -9 $!; wait $! 2>/dev/null; echo $?
kill -0 $$ && echo alive
kill -0 999999 2>/dev/null || echo nobody
{ until [ -e go ]; do sleep 0.01; done; echo late; } & echo early; touch go; wait

part traps
trap 'echo caught USR1' USR1
kill -USR1 $$; echo after
trap 'echo caught TERM' TERM; (kill -TERM $$); sleep 0.01; echo still here
trap '' HUP; kill -HUP $$; echo ignored; sh -c 'kill -HUP $$; echo inherited'
trap - HUP TERM
(trap 'echo leaving $?' EXIT; exit 6); echo $?
(trap 'exit 11' INT; kill -INT $(sh -c 'echo $PPID'); sleep 1; echo not reached); echo $?
sh -c 'trap "echo end; exit 3" TERM; kill -TERM $$; sleep 5'; echo $?
sh -c 'trap "echo child" CHLD; true; sleep 0.01 & wait; echo' | tail -n 1
(trap 'echo pipe >&2; exit 0' PIPE; i=0; while [ $i -lt 100000 ]; do echo $i; i=$((i + 1)); done) 2>&- | head -n 1
trap 'n=$((n + 1))' USR2; n=0
i=0; while [ $i -lt 50 ]; do kill -USR2 $$; i=$((i + 1)); done; echo $n
sleep 1000 & pid=$!; trap 'echo woken' USR1; (sleep 0.05; kill -USR1 $$) & wait $pid; echo "wait $(($? > 128))"
kill $pid; wait

part files
mkdir -p a/b/c; touch a/1 a/b/2 a/b/c/3 'a/with space'
for file in a/* a/b/*; do echo "$file"; done
echo a/*.none a/[12] a/?
[ -f a/1 ] && [ -d a/b ] && [ ! -e a/x ] && [ -s long ] && [ ! -s a/1 ] && echo tests
[ a/1 -ef a/b/../1 ] && echo same; ln -s b a/link; [ -L a/link ] && [ -d a/link ] && echo link
chmod 000 a/1; ls -l a/1 | cut -c1-10; umask 077; touch private; ls -l private | cut -c1-10; umask
ls -A | wc -l; find a | sort
cd a/link/c && pwd -P | sed 's/.*test//'; cd ../../..; rm -r a; ls a 2>/dev/null || echo gone
mkfifo pipe; cat pipe & echo through the pipe > pipe; wait
read -r first rest < long; echo "$first,$rest"
printf '%s\n' b a c | sort > sorted; cmp sorted sorted && comm -12 sorted sorted

part options
(set -e; false; echo not reached); echo $?
(set -e; if false; then :; fi; false || true; echo reached); echo $?
(set -u; echo $undefined_name) 2>/dev/null; [ $? -ne 0 ] && echo unset is an error
(set -f; echo *); (set -n; echo no); (set -x; : trace) 2>&1
eval 'x=1; eval "echo \$x"'; eval "exit_status() { return 5; }"; exit_status; echo $?
while getopts ab:c option -a -b value -c; do echo "$option $OPTARG"; done
command -v cd; type true >/dev/null && echo typed; command echo plain
read -r a b c <<END
1 2 3 4
END
echo "$a|$b|$c"
printf '%s %d %x %05.1f %c%c\n' text 42 255 3.14159 a b
ulimit -n 64; ulimit -n
times > /dev/null && echo times

part end
exec sh -c 'echo replaced; exit 42'
