# What bash adds: arrays, process substitution, job control, coprocesses, traps of its own.
part() { printf '== %s\n' "$*"; }
shopt -s extglob nullglob globstar

part arrays
a=(one "two words" three); a+=(four); a[10]=ten
echo "${#a[@]} ${a[1]} ${!a[*]} ${a[@]:1:2} ${a[-1]}"
unset 'a[0]'; echo "${a[*]@Q}"
declare -A map=([x]=1 [y]=2 ["a b"]=3); map[z]=4
for key in "${!map[@]}"; do echo "$key=${map[$key]}"; done | sort
b=({1..5} {a..e..2} x{1,2}y); echo "${b[@]}"
mapfile -t lines < <(seq 1000); echo ${#lines[@]} ${lines[999]}
IFS=, read -ra parts <<< "p,q,,r"; echo "${#parts[@]} ${parts[3]}"

part strings
s="Hello, World"
echo "${s^^} ${s,,} ${s:7} ${s: -5:3} ${s/o/0} ${s//o/0} ${s/#Hello/Bye} ${s/%World/all}"
[[ $s =~ ^([A-Z][a-z]+),\ (.*)$ ]] && echo "${BASH_REMATCH[1]}|${BASH_REMATCH[2]}"
[[ abc == a?(b)c && abcbc == a*(b|c) && ! x == !(x) ]] && echo patterns
printf -v out '%08.3f|%-6s|%+d' 3.14159 ab 7; echo "$out"
printf '%(%Y-%m-%d)T\n' 86400
echo $'tab\there\x41' "${s@U}" "$(printf '%q' 'a b$c')"

part arithmetic
(( x = 5, y = x ** 3, x++ )); echo $x $y $(( y & 15 | 64 )) $(( x > 5 ? 1 : 0 )) $(( 2#1011 + 16#ff ))
for (( i = 0, j = 10; i < j; i += 3, j-- )); do echo -n "$i,$j "; done; echo
let 'z = 7 % 4'; echo $z

part process substitution
diff <(seq 5) <(seq 2 6); echo $?
cat <(echo first) <(echo second)
seq 10 | tee >(wc -l > count) > /dev/null; sleep 0.1; until [[ -s count ]]; do sleep 0.02; done; cat count
while read -r n; do total=$((total + n)); done < <(seq 100); echo $total
paste <(seq 3) <(seq 4 6) <(seq 7 9)

part coprocess
coproc BC { while read -r line; do echo $((line)); done; }
echo '6 * 7' >&"${BC[1]}"; read -r answer <&"${BC[0]}"; echo "$answer"
echo '2 ** 20' >&"${BC[1]}"; read -r answer <&"${BC[0]}"; echo "$answer"
exec {BC[1]}>&-; wait "$BC_PID"; echo "ended $?"

part pipelines
false | true | (exit 3) | cat > /dev/null; echo "${PIPESTATUS[@]}"
(set -o pipefail; false | true; echo $?)
shopt -s lastpipe; echo kept | read -r kept; echo "$kept"; shopt -u lastpipe
{ echo out; echo err >&2; } |& sort
seq 20 | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat | cat |
    cat | cat | cat | md5sum

part job control
set -m
sleep 100 & sleep 200 &
jobs -r | sed 's/ *&$//'
kill %1; wait %1 2> /dev/null; echo "first $?"
kill -STOP %2; while [[ $(jobs -s) != *sleep* ]]; do sleep 0.02; done; jobs -s | sed 's/  */ /g'
kill -CONT %2; while [[ $(jobs -r) != *sleep* ]]; do sleep 0.02; done; jobs -r | sed 's/ *&$//;s/  */ /g'
kill %2; wait %2 2> /dev/null; echo "second $?"
# Not wait -n: it waits for ever for a job that bash has heard of before, also natively.
(exit 3) & first=$!; (until [[ -e go ]]; do sleep 0.01; done; exit 4) & second=$!
wait $first; echo "first $?"; touch go; wait $second; echo "second $?"
sh -c 'kill -STOP $$; echo continued' & while [[ $(jobs -s) == "" ]]; do sleep 0.02; done
fg > /dev/null; echo "foreground $?"
set +m
disown -a; jobs

part traps
trap 'echo "error in line of $FUNCNAME: $?"' ERR
fails() { return 3; }; fails; trap - ERR
trap 'count=$((count + 1))' DEBUG; :; :; trap - DEBUG; echo $((count > 2))
f() { trap 'echo returning' RETURN; echo inside; }; f; trap - RETURN
for signal in HUP INT QUIT USR1 USR2 TERM ALRM WINCH URG CONT; do
    trap "echo got $signal" $signal; kill -$signal $$; trap - $signal
done
trap 'echo real time' RTMIN+3; kill -RTMIN+3 $$; trap - RTMIN+3
(trap 'echo bye' EXIT; kill -TERM $BASHPID) ; echo $?
kill -l 9 15 64; kill -l | wc -l

part functions
g() { local x=1 -; set -f; x=2; echo $x "${FUNCNAME[@]}"; h "$@"; }
h() { echo "${#FUNCNAME[@]} $# ${@: -1}"; }
x=0; g a b c; echo $x
declare -f h | head -n 1; unset -f h; type h 2> /dev/null || echo no h
declare -n reference=s; echo "$reference"; declare -r constant=1; (constant=2) 2> /dev/null; echo $?
factorial() { (( $1 < 2 )) && echo 1 || echo $(( $1 * $(factorial $(( $1 - 1 ))) )); }; factorial 15

part redirection
exec {fd}> file; echo named >&$fd; exec {fd}>&-; cat file
cat <<< "here $((1 + 1)) string"
echo both &> file; echo again &>> file; cat file
exec 7<> file; read -r -u 7 line; echo "$line"; exec 7>&-
read -r -N 3 < <(echo abcdef); echo "$REPLY"; read -r -t 0.01 nothing < <(sleep 1); echo $(($? > 128))
read -r -d ';' x <<< 'until;here'; echo "$x"
: > prefixed; { echo a; echo b; } > >(sed 's/^/> /' > prefixed); until [[ $(wc -l < prefixed) -eq 2 ]]; do sleep 0.02; done; cat prefixed

part files
mkdir -p d/e/f; touch d/{1,2}.c d/e/3.c d/e/f/4.h .hidden
echo d/**/*.c; echo d/!(1*); echo none/*; (shopt -s dotglob; echo .h*)
[[ d/1.c -nt d/none ]] && echo newer; [[ -v HOME && ! -v NOPE ]] && echo set
pushd d > /dev/null; pushd e > /dev/null; dirs -p | wc -l; popd > /dev/null; popd > /dev/null
test -p <(:) && echo pipe; compgen -A function | sort | tr '\n' ' '; echo
select_word() { PS3='? '; select w in red green; do echo "chose $w"; break; done; }; select_word <<< 2 2> /dev/null
printf '%s\n' z y x | sort | while IFS= read -r l; do echo -n "$l"; done; echo
time_format() { TIMEFORMAT=%R; { time sleep 0.01; } 2>&1 | cut -c1-2; }; time_format
echo $((RANDOM >= 0)) $((SECONDS >= 0)) $((BASHPID > 1)) "${BASH_VERSINFO[0]}" $((EPOCHSECONDS > 0)) "$SHLVL"

part end
bash -c 'exit 17'; status=$?
bash --norc -c 'f() { exit "$1"; }; trap "echo last" EXIT; f 18'; exit $((status + $?))
