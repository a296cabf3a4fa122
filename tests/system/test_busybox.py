"""Every applet of Debian's static busybox that needs neither network nor disk nor hardware does in
a guest what the same file does natively: output, errors and status."""
import functools

import pytest
from conftest import LONG

import reference

SUITE_TIMEOUT_SECONDS = 600
EACH = 1 if LONG else 3  # the quick run has every third applet

# Files that the lines below work on, copied anew for each; what makes them runs once in a guest.
FILES = r"""
if ! test -d ../files; then mkdir ../files; cd ../files
seq 1 50 > numbers
printf 'pear 3\napple 10\nfig 2\napple 7\n' > fruit
printf 'one two three four five six seven eight nine ten eleven twelve\n' > long
printf 'a\tb\n\tc  d\n' > tabs
printf 'dos\r\nlines\r\n' > dos
mkdir -p tree/a/b tree/c; echo x > tree/a/1; echo y > tree/a/b/2; ln -s a/1 tree/link
touch -d '2020-01-02 03:04:05' tree/a/1
cd ../test; fi; cp -a ../files/. .
b() { busybox "$@"; }
"""

# Applet: a line of shell in which b stands for busybox.
APPLETS = {
    "[": "b [ 3 -gt 2 ] && echo yes; b [ a = b ]; echo $?",
    "[[": "b [[ abc == a* ]] ; echo $?",
    "acpid": None, "adjtimex": None, "arp": None, "arping": None, "blkdiscard": None,
    "blockdev": None, "brctl": None, "chvt": None, "crond": None, "crontab": None,
    "deallocvt": None, "depmod": None, "devmem": None, "dnsdomainname": None, "dpkg": None,
    "dpkg-deb": None, "dumpkmap": None, "dumpleases": None, "fatattr": None, "fdisk": None,
    "findfs": None, "freeramdisk": None, "fsfreeze": None, "fstrim": None, "ftpget": None,
    "ftpput": None, "getty": None, "halt": None, "httpd": None, "hwclock": None,
    "i2cdetect": None, "i2cdump": None, "i2cget": None, "i2cset": None, "i2ctransfer": None,
    "ifconfig": None, "ifdown": None, "ifup": None, "init": None, "insmod": None, "ip": None,
    "ipneigh": None, "kbd_mode": None, "klogd": None, "linuxrc": None, "loadfont": None,
    "loadkmap": None, "logger": None, "logread": None, "losetup": None, "lsmod": None,
    "lsscsi": None, "mdev": None, "microcom": None, "mkdosfs": None, "mke2fs": None,
    "mkswap": None, "modinfo": None, "modprobe": None, "mt": None, "nameif": None, "nbd-client": None,
    "nc": None, "netstat": None, "nslookup": None, "openvt": None, "partprobe": None,
    "ping": None, "ping6": None, "poweroff": None, "rdate": None, "reboot": None, "rmmod": None,
    "route": None, "run-init": None, "setkeycodes": None, "ssl_client": None, "swapoff": None,
    "swapon": None, "switch_root": None, "syslogd": None, "telnet": None, "telnetd": None,
    "tftp": None, "traceroute": None, "traceroute6": None, "tunctl": None, "ubirename": None,
    "udhcpc": None, "udhcpd": None, "uevent": None, "vconfig": None, "watchdog": None, "wget": None,
    # Those that need a terminal or accounts with passwords, or show what differs by nature.
    "login": None, "sulogin": None, "passwd": None, "rpm2cpio": None, "svc": None, "lspci": None,
    "lsusb": None, "pivot_root": None,
    "ar": "echo 1 > f; echo 2 > g; /usr/bin/ar rc x.a f g 2> /dev/null; b ar t x.a; echo $?",
    "arch": "b arch",
    "ascii": "b ascii",
    "ash": "b ash -c 'x=3; echo $((x*x)); for i in a b; do echo $i; done'",
    "awk": "b awk '{s[$1]+=$2} END {for (k in s) print k, s[k] | \"sort\"}' fruit",
    "base64": "b base64 numbers | b base64 -d | cmp - numbers && b base64 long",
    "basename": "b basename /a/b/c.txt .txt",
    "bc": "echo 'scale=20; 1/7; 2^100; sqrt(2)' | b bc",
    "bunzip2": "b bzip2 < numbers > z; b bunzip2 < z | cmp - numbers && echo same",
    "busybox": "b busybox --list | wc -l",
    "bzcat": "b bzip2 < numbers > z.bz2; b bzcat z.bz2 | b md5sum",
    "bzip2": "b bzip2 < numbers | b md5sum",
    "cal": "b cal 2 2024",
    "cat": "b cat -n fruit - < long; b cat missing",
    "chgrp": "b chgrp 42 fruit; b stat -c %g fruit",
    "chmod": "b chmod u=rwx,go=x fruit; b stat -c %a fruit; b chmod -R a-x tree/a/1",
    "chown": "b chown 7:8 fruit; b stat -c %u:%g fruit",
    "chroot": "mkdir r; cp /usr/bin/busybox r; b chroot r /busybox ls /; b chroot r /none; echo $?",
    "clear": "TERM=linux b clear | b od -c",
    "cmp": "cp numbers n; b cmp n numbers; echo z >> n; b cmp n numbers; echo $?",
    "cp": "b cp -r tree copy; b cp -a tree other; b find copy other | sort; b cp missing x; echo $?",
    "cpio": "b find tree | sort | b cpio -o -H newc > a 2> /dev/null; mkdir x; cd x; "
            "b cpio -id < ../a 2> /dev/null; b find . | sort",
    "crc32": "b crc32 numbers fruit",
    # /sys names the terminal, if any, to which it turns its program's streams.
    "cttyhack": "b cttyhack sh -c 'echo yes > ran' < /dev/null 2> /dev/null; echo $?; cat ran",
    "cut": "b cut -d' ' -f2 fruit; b cut -c1-3 fruit",
    "date": "b date -u -d @86400 '+%Y-%m-%d %H:%M:%S %j %a'",
    "dc": "echo '2 3 ^ p 10 k 1 3 / p' | b dc",
    "dd": "b dd if=numbers of=part bs=10 skip=1 count=3 2> /dev/null; cat part",
    "df": "b df -P . | wc -l; b df none; echo $?",
    "diff": "sed s/fig/FIG/ fruit > f; b diff fruit f; echo $?; b diff -u fruit f | tail -n +3",
    "dirname": "b dirname /a/b/c x",
    "dmesg": "b dmesg > f; echo $?",
    "dos2unix": "b dos2unix dos; b od -c dos",
    "du": "b du -s tree > d; test -s d && echo yes",
    "echo": r"b echo -e 'a\tb\x41\0101' -n x",
    "ed": "printf '2d\\n1s/1/one/p\\nw\\nq\\n' | b ed numbers; head -3 numbers",
    "egrep": "b egrep '^(app|f)' fruit",
    "env": "b env -i A=1 B=2 busybox env; b env -i A=1 busybox sh -c 'echo $A$B'",
    "expand": "b expand -t 4 tabs | b od -c",
    "expr": "b expr 3 '*' '(' 4 + 5 ')'; b expr abcdef : 'a\\(.*\\)f'; b expr 1 = 2; echo $?",
    # The largest prime below 2^64 takes a minute.
    "factor": "b factor 1 97 360360 "
              + ("18446744073709551557" if LONG else "4294967291"),
    "fallocate": "b fallocate -l 10000 f; b stat -c %s f",
    "false": "b false; echo $?",
    "fgrep": "b fgrep -c pp fruit; b fgrep -v p fruit",
    "find": "b find tree -type f -size -2 -exec echo '{}' + | tr ' ' '\\n' | sort; "
            "b find tree -name '[0-9]' | sort; b find tree -type l",
    "fold": "b fold -w 20 -s long",
    "free": "b free | cut -c1-5; b free | awk 'NR == 2 {print ($2 > $3)}'",
    "getopt": "b getopt -o ab:c -l long,with: -- -a -b x --with=y rest -c",
    "grep": "b grep -n apple fruit; b grep -q nothing fruit; echo $?; b grep -rl x tree | sort",
    "groups": "b groups",
    "gunzip": "b gzip < numbers | b gunzip | cmp - numbers && echo same",
    "gzip": "b gzip -c numbers > z; b gzip -t z; echo $?; b gzip -cd z | b md5sum",
    "head": "b head -n 3 numbers; b head -c 5 fruit; b head -n -47 numbers",
    "hexdump": "b hexdump -C fruit",
    "hostid": "b hostid | wc -c",
    "hostname": "b hostname",
    "id": "b id; b id -u nobody; b id nobody-else; echo $?",
    "ionice": "b ionice -c 3 echo yes",
    "install": "b install -m 640 fruit f; b stat -c %a f; b install -d x/y; ls x",
    "ipcalc": "b ipcalc -bmnp 192.168.7.9/20",
    "kill": "b kill -l 9; b kill -l | head -4; "
            "{ sleep 100 & b kill $!; wait $!; echo $?; } 2>&-",
    "killall": "busybox sleep 77 & b killall -q no-such-thing; echo $?; kill $!",
    "killall5": None,
    "last": "b last > f 2>&1; echo $?",
    "less": "b less fruit | cat; b less none; echo $?",
    "link": "b link fruit f; b stat -c %h fruit",
    "linux32": "b linux32 uname -m; b linux32 true; echo $?",
    "linux64": "b linux64 uname -m",
    "ln": "b ln -s fruit s; b readlink s; b ln fruit h; b stat -c %h h; b ln fruit h; echo $?",
    "logname": "b logname > /dev/null 2>&1; true",
    "ls": "b ls -1 tree; b ls -lR --color=never tree | grep -v total | cut -c1-10; b ls none; echo $?",
    "lzcat": "b xz -V > /dev/null 2>&1; xz --format=lzma < numbers > z; b lzcat z | b md5sum",
    "lzma": "xz --format=lzma < numbers | b lzma -dc | b md5sum",
    "lzop": "b lzop -c < numbers | b lzop -dc | b md5sum",
    "md5sum": "b md5sum numbers fruit > s; cat s; b md5sum -c s",
    "mim": None,
    "mkdir": "b mkdir -p x/y/z; b mkdir x; echo $?; b mkdir -m 700 p; b stat -c %a p",
    "mkfifo": "b mkfifo p; (echo through > p &); cat p; b stat -c %F p",
    "mknod": "b mknod p p; b stat -c %F p; b mknod n c 1 3; echo x > n; b stat -c '%t %T' n",
    "mkpasswd": "b mkpasswd -m sha256 -S saltsalt secret",
    "mktemp": "f=$(b mktemp ./XXXXXX); test -f $f && b stat -c %a $f; b mktemp -d -u ./abXXXXXX | wc -c",
    "more": "b more fruit | cat",
    "mount": "b mount -t tmpfs none tree/c && grep -c /tmp/test/tree/c /proc/mounts; "
             "b umount tree/c; grep -c /tmp/test/tree/c /proc/mounts",
    "mountpoint": "b mountpoint /proc; b mountpoint tree; echo $?",
    "mv": "b mv fruit f; ls; b mv missing x; echo $?; b mv tree numbers; echo $?",
    "nice": "b nice -n 5 busybox nice; b nice",
    "nl": "b nl fruit; b nl -ba tabs",
    "nologin": "busybox nologin < /dev/null > f & until test -s f; do :; done; kill $!; cat f",  # it sleeps
    "nohup": "b nohup echo through < /dev/null | cat",
    "nproc": "test $(b nproc) -ge 1; echo $?",
    "nsenter": None,
    "nuke": "b nuke tree; ls",
    "od": "b od -c fruit; b od -t x1 -N 8 numbers; b od -A d -t d2 fruit",
    "paste": "b paste -d, fruit long numbers | head -3; b paste -s fruit",
    "patch": "sed s/fig/FIG/ fruit > f; diff -u fruit f > p; b patch fruit < p; cat fruit",
    "pgrep": "b pgrep no-such-thing; echo $?",
    "pidof": "b pidof no-such-thing; echo $?",
    "pkill": "b pkill no-such-thing; echo $?",
    "printf": r"b printf '%5d|%-5s|%05.1f|%x|%c\n' 42 ab 3.14159 255 xyz",
    "ps": "b ps -o pid,comm | head -1",
    "pwd": "b pwd; cd tree && b pwd",
    "readlink": "b readlink tree/link; b readlink -f tree/link; b readlink fruit; echo $?",
    "realpath": "b realpath tree/../tree/link; b realpath none/none; echo $?",
    "renice": "b renice -n 3 -p $$; echo $?",
    "reset": None, "resume": None, "resize": None,
    "rev": "b rev fruit",
    "rm": "b rm fruit; b rm tree; echo $?; b rm -rf tree; ls; b rm none; echo $?",
    "rmdir": "b rmdir tree; echo $?; mkdir -p x/y; b rmdir -p x/y; ls",
    "rpm": "b rpm -q none; echo $?",
    "run-parts": "mkdir d; printf '#!/bin/sh\\necho one\\n' > d/1; chmod +x d/1; b run-parts d",
    "sed": "b sed -n '2,3p;$=' fruit; b sed 's/\\(.*\\) \\(.*\\)/\\2 \\1/;1d' fruit; "
           "b sed -i 's/apple/plum/' fruit; cat fruit",
    "seq": "b seq 3; b seq 5 -2 -3; b seq -w 8 11; b seq -s, 4",
    "setpriv": "b setpriv --nnp echo yes",
    "setsid": "b setsid echo yes",
    "sh": "b sh -c 'echo $0 $# $1' name arg",
    "sha1sum": "b sha1sum numbers",
    "sha256sum": "b sha256sum numbers; b sha256sum < long",
    "sha3sum": "b sha3sum numbers",
    "sha512sum": "b sha512sum numbers",
    "shred": "b shred -u fruit; ls",
    "shuf": "b shuf numbers | sort -n | cmp - numbers && echo same; b shuf -i 5-5",
    "sleep": "b sleep 0.01; echo $?; b sleep x; echo $?",
    "sort": "b sort fruit; b sort -k2 -n -r fruit; b sort -u -k1,1 fruit; b sort -c fruit; echo $?",
    "split": "b split -l 20 numbers p; ls p*; wc -l pac",
    "start-stop-daemon": "b start-stop-daemon -S -x /bin/echo -- yes",
    "stat": "b stat -c '%n %s %a %u %F' fruit tree tree/link; b stat none; echo $?",
    "strings": "printf 'ab\\0hello\\1world!\\0' | b strings",
    "stty": "b stty < /dev/null; echo $?",
    "su": "b su root -c 'echo yes; exit 3'; echo $?; b su nobody -s /bin/sh -c 'id -un'",
    "sum": "b sum numbers",
    "svok": "b svok tree; echo $?",
    "sync": "b sync; echo $?",
    "sysctl": "b sysctl -n kernel.ostype",
    "tac": "b tac fruit",
    "tail": "b tail -n 2 fruit; b tail -n +49 numbers; b tail -c 4 numbers",
    "tar": "b tar cf t.tar tree; b tar tf t.tar | sort; mkdir x; b tar xf t.tar -C x; "
           "diff -r tree x/tree && echo same; b tar czf t.tgz tree; b tar tzf t.tgz | wc -l",
    "taskset": "b taskset 1 echo yes",
    "tc": None,
    "tee": "b echo both | b tee f; cat f; echo more | b tee -a f; cat f",
    "test": "b test -f fruit && b test -d tree && b test ! -e none; echo $?",
    "time": "b time true 2>&1 | cut -c1-4",
    "timeout": "b timeout 1 sleep 100; echo $?; b timeout 100 sh -c 'exit 3'; echo $?",
    "top": "b top -b -n 1 | grep -c COMMAND",
    "touch": "b touch -d '2001-02-03 04:05:06' f; b stat -c %Y f; b touch -c none; ls",
    "tr": "b tr a-z A-Z < fruit; b tr -d 0-9 < fruit; b tr -s p < fruit; b tr -cd '[:alpha:]' < long",
    "true": "b true; echo $?",
    "truncate": "b truncate -s 7 fruit; cat fruit; b truncate -s 1M f; b stat -c %s f",
    "ts": "echo x | b ts '' | cut -c1-20 | wc -l",
    "tty": "b tty < /dev/null; echo $?",
    "umount": "b umount tree; echo $?",
    "uname": "b uname -smn",
    "uncompress": "cp fruit f; b uncompress f > /dev/null 2>&1; echo $?",
    "unexpand": "b expand tabs | b unexpand -a | b od -c",
    "uniq": "cut -d' ' -f1 fruit | sort | b uniq -c; b uniq -d fruit; sort fruit | b uniq -u -w 3",
    "unix2dos": "b unix2dos fruit; b od -c fruit",
    "unlink": "b unlink fruit; ls; b unlink none; echo $?",
    "unlzma": "xz --format=lzma < numbers | b unlzma | b md5sum",
    "unshare": "b unshare -u hostname other; b hostname",
    "unxz": "xz < numbers | b unxz | b md5sum",
    "unzip": "b unzip none.zip; echo $?",
    "uptime": "b uptime > f; grep -c load f",
    "usleep": "b usleep 10; echo $?",
    "uudecode": "b uuencode fruit name > u; b uudecode -o f u; cmp f fruit && echo same",
    "uuencode": "b uuencode -m fruit name; b uuencode fruit name",
    "vi": r"printf ':%%s/fig/plum/\n:wq\n' | TERM=linux b vi fruit > /dev/null; cat fruit",
    "w": "b w > f; echo $?",
    "watch": ": > f; busybox watch -t -n 1 echo seen < /dev/null > f & "
             "until grep -q seen f; do :; done; kill $!; echo yes",
    "wc": "b wc fruit numbers; b wc -l < long; b wc -c -w fruit",
    "which": "b which sh no-such-thing; echo $?",
    "who": "b who; echo $?",
    "whoami": "b whoami",
    "xargs": "b xargs -n 3 echo < long; b seq 20 | b xargs -P 4 -n 5 echo | wc -l; "
             "printf 'a b\\0c' | b xargs -0 -n1 echo",
    "xxd": "b xxd fruit; b xxd -p fruit | b xxd -r -p",
    "xz": "xz < numbers > z.xz; b xz -dc z.xz | b md5sum",
    "xzcat": "xz < numbers > z.xz; b xzcat z.xz | b md5sum",
    "yes": "b yes | head -3; b yes a b | head -n 1000 | b md5sum",
    "zcat": "b gzip < numbers > z.gz; b zcat z.gz | b md5sum",
}


@functools.cache
def there():
    """The applets that the file has."""
    return reference.run(["busybox", "--list"]).output.decode().split()


def test_every_applet_is_accounted_for():
    if not reference.is_possible():
        pytest.skip("needs root")
    assert [name for name in there() if name not in APPLETS] == []


@pytest.mark.parametrize("applet", sorted(name for name, line in APPLETS.items() if line)[::EACH])
def test_an_applet_does_what_it_does_natively(machine, applet):
    machine.same_sh(FILES + APPLETS[applet])
