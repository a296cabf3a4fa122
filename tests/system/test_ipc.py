"""Tools for shared memory, semaphores and queues of messages do in a guest what they do natively."""
import pytest

SUITE_TIMEOUT_SECONDS = 600
QUICK_CPUS = (2,)

SHOW = "show() { ipcs -$1 | awk -v id=$id '$2 == id {print $3, $4, $5, $6, $7}'; }; "
SCRIPTS = {
    "limits": "ipcs -l",
    "segment": "id=$(ipcmk -M 5000 -p 640 | sed 's/.* //'); show m; "
               "ipcs -m -i $id | grep -o 'mode.*access'; ipcrm -m $id; show m; ipcrm -m $id 2> /dev/null; echo $?",
    "semaphores": "id=$(ipcmk -S 3 -p 604 | sed 's/.* //'); show s; ipcs -s -i $id | tail -n 4; "
                  "ipcrm -s $id; show s; ipcrm -s $id 2> /dev/null; echo $?",
    "queue": "id=$(ipcmk -Q -p 660 | sed 's/.* //'); show q; ipcs -q -i $id | grep -o 'mode.*access'; "
             "ipcrm -q $id; show q; ipcrm -q $id 2> /dev/null; echo $?",
    "key": "ipcrm -M 0x77777 2> /dev/null; echo $?",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_tool_does_the_same_as_natively(machine, name):
    machine.same_sh(SHOW + SCRIPTS[name])
