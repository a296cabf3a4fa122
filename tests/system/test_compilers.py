"""Compilers, linkers and what drives them, unmodified: the same files to the byte as natively."""
import os
import sys

import pytest
from conftest import only_long

PACKAGES = ("gcc", "g++", "clang", "cmake", "ninja-build")
MEMORY = "3G"
SUITE_TIMEOUT_SECONDS = 1800
SCRIPTS = os.path.join(os.path.dirname(__file__), "scripts")
sys.path.insert(0, SCRIPTS)
pytestmark = only_long

import big_program  # noqa: E402

# 50,000 lines of C.
FILES, FUNCTIONS, LIMIT = 40, 58, 1700
# 10,000 lines, since clang takes twice as long as gcc.
FEWER_FILES = 8
UNPACK = "tar xf - || exit 98\n"
SUMS = "find . -name '*.[oa]' | sort | xargs md5sum; md5sum program; ./program\n"


def sources(files=FILES):
    return big_program.tar(files, FUNCTIONS)


def test_gcc_and_make_build_a_program(machine):
    machine.same_sh(UNPACK + "make -s -j2 CC=gcc 2>&1; echo $?\n" + SUMS
                    + "make -n CC=gcc; touch main.c; make -n CC=gcc; make -s CC=gcc; md5sum program\n"
                    "echo 'int wrong(void) { return x; }' > part_7.c; make CC=gcc 2>&1; echo $?; nm main.o",
                    sources(), limit=LIMIT)


def test_clang_cmake_and_ninja_build_a_program(machine):
    machine.same_sh(UNPACK + "cmake -G Ninja -DCMAKE_C_COMPILER=clang -B out . 2>&1; echo $?\n"
                    "cd out; ninja --quiet -j2 2>&1; echo $?\n" + SUMS
                    + "ninja -n; touch ../part_3.c; ninja -n; ninja -t targets | sort | md5sum",
                    sources(FEWER_FILES), limit=LIMIT)


PLUS_PLUS = r"""
#include <algorithm>
#include <future>
#include <iostream>
#include <map>
#include <regex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

struct failure : std::runtime_error { using std::runtime_error::runtime_error; };
thread_local int depth;

template <typename T> T descend(T n) {
    struct count { count() { depth++; } ~count() { depth--; } } one;
    if (n == 0)
        throw failure("at the bottom, " + std::to_string(depth));
    return descend(n - 1) + 1;
}

int main() {
    std::map<std::string, std::vector<int>> words;
    for (int i = 0; i < 10000; i++)
        words["word" + std::to_string(i * 7919 % 101)].push_back(i);
    std::vector<std::future<std::string>> several;
    for (int n = 0; n < 8; n++)
        several.push_back(std::async(std::launch::async, [n] {
            try {
                return std::to_string(descend(n * 100));
            } catch (const failure &caught) {
                return std::string(caught.what()) + " then " + std::to_string(depth);
            }
        }));
    for (auto &one : several)
        std::cout << one.get() << '\n';
    for (auto &[word, numbers] : words)
        if (std::regex_match(word, std::regex("word[1-3]7?")))
            std::cout << word << ' ' << numbers.size() << ' '
                      << *std::max_element(numbers.begin(), numbers.end()) << std::endl;
    throw failure("nobody catches this");
}
"""
COMPILED_BY = {"gcc": "g++ -std=c++20 -O1 -pthread -Wall", "clang": "clang++ -std=c++20 -O1 -pthread -Wall"}


@pytest.mark.parametrize("by", COMPILED_BY)
def test_a_program_in_c_plus_plus(machine, by):
    machine.same_sh(f"ulimit -c 0; cat > a.cc; {COMPILED_BY[by]} -c a.cc 2>&1 && {COMPILED_BY[by]} a.o -o a 2>&1\n"
                    "md5sum a.o a; ./a 2>&1; echo $?", PLUS_PLUS.encode(), limit=LIMIT)


LIBRARIES = r"""
cat > part.c <<END
int shared_counter;
__attribute__((constructor)) static void begin(void) { shared_counter = 40; }
int add(int n) { return shared_counter += n; }
END
cat > main.c <<END
#include <dlfcn.h>
#include <stdio.h>
int add(int);
int main(void) {
    void *again = dlopen("./libother.so", RTLD_NOW);
    int (*other)(int) = again ? (int (*)(int))dlsym(again, "add") : NULL;
    printf("%d %d %s\n", add(2), other ? other(3) : -1, again ? "there" : dlerror());
}
END
gcc -fPIC -shared part.c -o libpart.so; cp libpart.so libother.so
gcc main.c -L. -lpart -Wl,-rpath,'$ORIGIN' -o dynamic; ./dynamic
gcc -c part.c; ar rcsD libstatic.a part.o; ranlib -D libstatic.a; ar t libstatic.a; nm libstatic.a
gcc -static main.c libstatic.a -o static 2> warnings; ./static; wc -l < warnings
objcopy --only-keep-debug dynamic debug; strip dynamic; ./dynamic; readelf -d dynamic; size part.o
objdump -d part.o; gcc -O2 -S part.c -o - | md5sum; gcc -E main.c | wc -l
as --version | head -n 1; gcc -O2 -fprofile-generate -fprofile-update=atomic part.c main.c -o counted; ./counted; ls *.gcda
md5sum libpart.so libstatic.a static debug dynamic
"""


def test_libraries_and_binutils(machine):
    machine.same_sh(LIBRARIES, limit=LIMIT)
