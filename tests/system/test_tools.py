"""Unmodified tools on files and trees of some size do in a guest what they do natively."""

import pytest
from conftest import LONG

SUITE_TIMEOUT_SECONDS = 900

# A tree of files with text that is always the same: so many folders with ten files each. It takes
# longer to make than most tests do, so it stays in the guest, in KEPT, from one test to the next.
KEPT = "/tmp/tree-of-{folders}"
MAKE = """mkdir tree; cd tree
i=0; while [ $i -lt {folders} ]; do
    d=$((i % 7))/$((i % 13))/$i; mkdir -p $d; i=$((i + 1))
    for f in 0 1 2 3 4 5 6 7 8 9; do echo "file $f of $i: $((i * f % 97))" > $d/$f.txt; done
done
cd ..
mv tree {kept}
"""
SMALL, LARGE = 30, 1000
SIZES = [LARGE] if LONG else [SMALL]

READS_A_TREE = {
    "count": "find tree -type f | wc -l; find tree | sort | md5sum; ls -R tree | md5sum",
    "contents": "find tree -type f -print0 | sort -z | xargs -0 cat | md5sum",
    "sums": "find tree -type f -print0 | sort -z | xargs -0 md5sum > sums; md5sum -c --quiet sums "
            "&& echo right; md5sum < sums",
    "grep": "grep -r -l 'file 3 of .*: 0$' tree | sort | md5sum; grep -rc file tree | grep -vc :1",
    "find": "find tree -name '[37].txt' -newermt 2100-01-01 -o -size +1k -o -empty | sort | md5sum; "
            "find tree -type d -links 2 | wc -l; find tree -path '*/5/*' -prune -o -print | wc -l",
    "parallel": "find tree -name '*.txt' | xargs -P 4 -n 20 grep -h 'file 7' | sort | md5sum",
    "copy": "cp -r tree copy; diff -r tree copy && echo same; cp -al tree hard; "
            "find hard -type f -links 2 | wc -l; rm -rf copy hard; ls",
    "tar": "tar cf t.tar --sort=name --mtime=@0 tree; md5sum < t.tar; mkdir x; tar xf t.tar -C x; "
           "diff -r tree x/tree && echo same; tar df t.tar; tar tf t.tar | wc -l",
    "compressed": "tar czf t.tgz tree; gzip -t t.tgz && echo whole; mkdir x; tar xzf t.tgz -C x; "
                  "diff -r tree x/tree && echo same; tar cJf t.txz tree; xz -t t.txz && echo whole; "
                  "tar tJf t.txz | sort | md5sum",
}

CHANGES_A_TREE = {
    "move": "mv tree moved; mkdir tree; mv moved/* tree; rmdir moved; find tree | sort | md5sum",
    "sed": "find tree -name '1.txt' -exec sed -i 's/file/datei/' {} +; grep -rl datei tree | wc -l; "
           "find tree -name '*~' | wc -l",
    "remove": "find tree -name '2.txt' -delete; find tree -type f | wc -l; "
              "find tree -depth -type d -exec rmdir --ignore-fail-on-non-empty {} + ; rm -r tree; ls",
    "links": "find tree -name '0.txt' | while read -r f; do ln -s 0.txt ${f%0.txt}link; done; "
             "find tree -type l | wc -l; find -L tree -name link -type f | wc -l; "
             "find tree -type l -exec readlink {} + | sort -u",
    "modes": "chmod -R go-rwx tree; find tree -perm /077 | wc -l; chmod -R a+rX tree; "
             "find tree -type d ! -perm 755 | wc -l; touch -d @86400 tree/*; stat -c '%Y %a' tree/0",
}

ON_TEXT = {
    "sort": "seq 30000 | awk '{print $1 * 7919 % 30011, $1}' > n; sort -n n | md5sum; sort n | md5sum; "
            "sort -k2,2nr -S 100K -T . n | md5sum; sort --parallel=4 -r n | md5sum",
    "awk": "seq 20000 | gawk '{n[$1 % 100] += $1; l += length($1)} END {for (i in n) print i, n[i]; "
           "print l}' | sort -n | md5sum; seq 2000 | mawk '{print sqrt($1), sin($1)}' | md5sum; "
           "gawk 'BEGIN {while ((\"echo a b; echo c\" | getline x) > 0) print x; print \"z\\na\" | \"sort\"}'",
    "sed": "seq 5000 | sed -n '/9$/{N;s/\\n/-/;p}' | md5sum; seq 100 | sed '1!G;h;$!d' | head -3; "
           "seq 10 | sed -e '2,4d' -e '5i\\inserted' -e '6a\\added' -e 's/7/&&/' -e '8q'",
    "grep": "seq 30000 > n; grep -c 7 n; grep -E '^(1|22)[0-9]{2}$' n | md5sum; grep -v 1 n | wc -l; "
            "grep -A2 -B1 -n '^99$' n; grep -o '[0-9]0*$' n | sort | uniq -c | md5sum; "
            "grep -P '(\\d)\\1\\1' n | wc -l",
    "compress": "seq 50000 > n; gzip -9n < n | md5sum; gzip < n | gzip -dc | cmp - n; "
                "xz -T1 -6 < n | xz -dc | cmp - n; xz -0 -T1 < n | md5sum; xz -T4 -0 < n | xz -dc | cmp - n",
    "cut and join": "seq 1 3000 | sort > a; seq 2 2 4000 | sort > b; join a b | wc -l; comm -12 a b | wc -l; "
                    "paste a b | cut -f2 | md5sum; join -v1 a b | md5sum; uniq -c a | tail -n 1",
    "split": "seq 20000 > n; split -l 999 n p; cat p* | cmp - n; ls p* | wc -l; csplit -s n 100 '/^500$/'; "
             "wc -l xx*; tail -c 100 n | head -c 50 | od -c; truncate -s 10K s; du -k --apparent-size s",
    "diff": "seq 3000 > a; sed '5d;700s/$/x/;2000a\\new' a > b; diff a b; diff -u --label a --label b a b | md5sum; "
            "diff3 a b a | wc -l; cmp a b; sdiff -s a b | wc -l",
    "printf": "printf '%s|%10.3e|%-8s|%08d|%+i|%o|%#x|%q\\n' a 12345.678 left 42 7 8 255 \"it's\"; "
              "numfmt --to=iec 1048576 1500000; seq -f '%03g' 3; factor 123456789012; expr 6 '*' 7",
    "dates": "TZ=UTC0 date -d @1000000000; date -u -d '2024-02-29 +1 year' +%F; "
             "touch -t 200001010000 f; TZ=UTC0 ls -l --time-style=full-iso f | cut -d' ' -f6-8",
    "dd": "dd if=/dev/zero bs=4K count=1000 2>/dev/null | md5sum; dd if=/dev/urandom of=r bs=1000 count=99 "
          "2>/dev/null; dd if=r of=s bs=333 conv=sync 2>/dev/null; cmp -n 99000 r s; "
          "dd if=r bs=1 skip=98990 2>/dev/null | cmp - <(tail -c 10 r); dd of=sparse bs=1 seek=1M count=0 "
          "2>/dev/null; stat -c %s sparse",
    "tee": "seq 10000 | tee a b >(md5sum > c) | md5sum; cmp a b; until test -s c; do sleep 0.01; done; cat c",
    "timeouts": "timeout 0.05 sleep 100; echo $?; { timeout -s KILL 0.05 sleep 100; echo $?; } 2> /dev/null; "
                "timeout 100 sh -c 'exit 5'; echo $?; timeout --foreground 100 true; echo $?",
    "ids": "id; id -G nobody; whoami; groups daemon; chown nobody:nogroup . && stat -c %U:%G .; "
           "setpriv --reuid=nobody --regid=nogroup --clear-groups id -un; umask",
    "environment": "env -i A='x y' env; printenv HOME; echo $(($(nice -n 7 nice) - $(nice))); nohup echo hup 2>/dev/null; "
                   "stdbuf -oL echo line; env -u HOME sh -c 'echo ${HOME-none}'; getconf PAGESIZE",
    "paths": "mkdir -p a/b; ln -s a/b l; realpath l/../b/.; realpath --relative-to=a/b .; readlink -f l; "
             "basename -s .c x.c; dirname /a/b; mktemp -u XXXX | wc -c; pathchk -p 'a:b'; "
             "test -e l/x; echo $?",
    "make": r"""printf 'all: %s\n' "$(seq -s ' ' -f 'o/%g' 60)" > Makefile
printf 'o/%%: | o\n\t@echo $* | md5sum > $@\no:\n\t@mkdir o\n' >> Makefile
make -j4 2>&1; cat o/* | sort | md5sum; make -q && echo up to date; touch o/3; make; rm o/5; make -n""",
    "flock": "exec 9> lock; flock 9; flock -n lock true; echo $?; flock -u 9; flock -n lock echo free",
}


def on_a_tree(folders, script, take, leave):
    """The script with the tree in its folder, taken from and left to where it is kept."""
    kept = KEPT.format(folders=folders)
    make = MAKE.format(folders=folders, kept=kept)
    return (f"test -d {kept} || {{ {make} }}\n{take} {kept} tree\n({script})\n"
            f"status=$?; {leave.format(kept=kept)}; exit $status")


@pytest.mark.parametrize("folders", SIZES)
@pytest.mark.parametrize("name", READS_A_TREE)
def test_reading_a_tree(machine, folders, name):
    machine.same_sh(on_a_tree(folders, READS_A_TREE[name], "mv", "mv tree {kept}"), limit=600)


@pytest.mark.parametrize("folders", SIZES)
@pytest.mark.parametrize("name", CHANGES_A_TREE)
def test_changing_a_tree(machine, folders, name):
    machine.same_sh(on_a_tree(folders, CHANGES_A_TREE[name], "cp -a", "rm -rf tree"), limit=600)


@pytest.mark.parametrize("name", ON_TEXT)
def test_on_text(machine, name):
    machine.same_sh(ON_TEXT[name], shell="/bin/bash", limit=300)
