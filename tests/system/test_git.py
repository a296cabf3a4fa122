"""git, unmodified, on a repository of a thousand commits: the same hashes as natively."""

import pytest
from conftest import only_long

PACKAGES = ("git",)
SUITE_TIMEOUT_SECONDS = 1200
COMMITS, LIMIT = 1000, 900
pytestmark = only_long
# Whoever commits does so always at the same time; nothing runs on in the background.
KNOWN = """export GIT_AUTHOR_NAME=somebody GIT_AUTHOR_EMAIL=s@example.org GIT_AUTHOR_DATE='1000000000 +0100'
export GIT_COMMITTER_NAME=somebody GIT_COMMITTER_EMAIL=s@example.org GIT_COMMITTER_DATE='1000000000 +0100'
export HOME=$PWD GIT_PAGER=cat
git config --global init.defaultBranch main; git config --global gc.auto 0; git config --global pack.threads 2
git config --global advice.detachedHead false; git config --global protocol.file.allow always
"""
# A history on two branches, in 40 files of 7 folders that grow and change; each tenth commit is a merge.
HISTORY = """history() {
    awk -v commits="$1" 'BEGIN {
        for (n = 1; n <= commits; n++) {
            branch = n > 20 && n % 10 >= 7 ? "side" : "main"
            printf "commit refs/heads/%s\\nmark :%d\\n", branch, n
            printf "author A <a@example.org> %d +0000\\ncommitter C <c@example.org> %d +0000\\n", 1e9 + n, 1e9 + n
            text = "change " n "\\n"; printf "data %d\\n%s\\n", length(text), text
            if (branch == "side" && !begun++) printf "from :%d\\n", n - 1
            if (n > 30 && n % 10 == 0) printf "merge :%d\\n", n - 1
            file = n * 7 % 40; lines[branch file]++; body = ""
            for (i = 1; i <= 3 + lines[branch file]; i++) body = body "line " i " of " file " by " branch i * n % 11 "\\n"
            printf "M 100644 inline d%d/%s-%d\\ndata %d\\n%s\\n", file % 7, branch, file, length(body), body
        }
    }'
}
made() { git init -q; history "$1" | git fast-import --quiet; git checkout -q main; }
"""


def same(machine, script):
    machine.same_sh(KNOWN + HISTORY + script.replace("COMMITS", str(COMMITS)), limit=LIMIT)


LOOKS = {
    "log": "git rev-parse main side; git log --format='%H %T %s' | md5sum; git log --stat main | md5sum\n"
           "git log --graph --oneline --all | md5sum; git shortlog -sn HEAD; git rev-list --count --all\n"
           "git log -S'by side3' --all --format=%h | md5sum; git log --follow --format=%h d1/main-8 | md5sum",
    "diff": "git diff main~20 main | md5sum; git diff --stat main side | tail -n 1; git blame d1/main-8 | md5sum\n"
            "git grep -c 'of 8' main | head -n 5; git show --stat | tail -n 3; git describe --always",
    "trees": "git ls-tree -r main | md5sum; git cat-file --batch-all-objects --batch-check | md5sum\n"
             "git archive main | tar t | md5sum; git name-rev --all | head -n 3; git status --short | wc -l",
    "gc": "git gc --quiet --prune=now; git count-objects -v | grep -E 'count|in-pack|packs|garbage'\n"
          "git fsck --full --strict 2>&1; git repack -adfq --depth=20; git verify-pack .git/objects/pack/*.idx; echo $?\n"
          "git log --format=%H main | md5sum; git commit-graph write --reachable 2>/dev/null; git commit-graph verify; echo $?",
    "clone": "git clone -q . ../copy 2>&1; git -C ../copy rev-parse HEAD; git clone -q --bare file://$PWD ../bare 2>&1\n"
             "git -C ../bare fsck 2>&1; git -C ../bare for-each-ref; git clone -q --depth 5 file://$PWD ../low 2>&1\n"
             "git -C ../low rev-list --count HEAD; cd ../copy; echo x > new; git add new; git commit -qm new; git rev-parse HEAD\n"
             "git push -q ../bare HEAD:refs/heads/new 2>&1; git -C ../bare rev-parse new; cd ..; rm -rf copy bare low",
    "merge": "git checkout -q -b topic main~15; for n in 1 2 3 4 5; do echo $n > t$n; git add .; git commit -qm t$n; done\n"
             "git rebase -q main 2>&1; git log --format='%H %s' -7; git checkout -q main; git merge -q --no-ff -m joined topic\n"
             "git checkout -q side; echo s > s; git add s; git commit -qm s; git checkout -q main\n"
             "git rev-parse main; git merge -q -m sides side; git rev-parse main; git status --short | wc -l; git branch -d topic",
    "conflicts": "git checkout -q -b one main; sed -i '2s/.*/one/' d1/main-8; git commit -qam one; git checkout -q -b other main\n"
                 "sed -i '2s/.*/other/' d1/main-8; git commit -qam other; git merge one; echo $?; git diff; git status --short\n"
                 "git checkout --ours d1/main-8; git add d1; git commit -qm solved; git rev-parse HEAD; git cherry-pick one; echo $?\n"
                 "git cherry-pick --abort; echo dirty >> d1/main-8; git stash -q; git status --short; git stash pop -q; git diff --stat",
    "bisect": "few=$(($(cat d*/main-* | wc -l) - 20)); git bisect start main main~30 > none 2>&1; cat > lines <<END\n"
              "test \\$(cat d*/main-* | wc -l) -lt $few\nEND\n"
              "git bisect run sh ./lines 2>&1 | grep -v '^running'; rm none lines\n"
              "git bisect reset 2>&1; git worktree add -q ../beside side; git -C ../beside log -1 --format=%H; git worktree list | wc -l\n"
              "git worktree remove ../beside; git tag -a v1 -m one; git rev-parse v1; git reflog | wc -l\n"
              "for n in 1 2 3; do echo $n >> d1/main-8; git commit -qam p$n; done; git format-patch -q -3; ls *.patch\n"
              "git reset -q --hard main~3; git am -q *.patch; git log -1 --format=%T",
}


@pytest.mark.parametrize("name", LOOKS)
def test_a_repository(machine, name):
    same(machine, "mkdir r; cd r; made COMMITS\n" + LOOKS[name])


def test_commits_made_one_by_one(machine):
    same(machine, "git init -q; n=0; while [ $n -lt 150 ]; do n=$((n + 1)); echo $n >> f$((n % 9)); git add .; git commit -qm $n; done\n"
         "git rev-parse HEAD; git rev-list --count HEAD; git fsck 2>&1; git gc -q; git log --format=%H | md5sum")
