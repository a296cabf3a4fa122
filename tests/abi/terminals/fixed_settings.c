/* TIOCSLCKTRMIOS: settings that stay as they are, whoever sets them, until they are let go. */
#include "pair.h"

/* The C library's struct termios is larger than the kernel's. */
struct kernel_settings {
    unsigned input, output, control, local;
    unsigned char discipline, characters[19];
};

static struct kernel_settings fixed, settings, seen;

static void somebody(void) {
    be(SOMEBODY);
    gives(0, ioctl, terminal, TIOCGLCKTRMIOS, &seen);
    fails(EPERM, ioctl, terminal, TIOCSLCKTRMIOS, &fixed);
}

/* Sets what has all of these flags, and a character, the other way round. */
static void turn_over(void) {
    gives(0, ioctl, terminal, TCGETS, &settings);
    settings.input ^= ICRNL | IXON;
    settings.output ^= OPOST | ONLCR;
    settings.local ^= ECHO | ICANON;
    settings.characters[VINTR] ^= 1;
    settings.characters[VQUIT] ^= 1;
    gives(0, ioctl, terminal, TCSETS, &settings);
    gives(0, ioctl, terminal, TCGETS, &seen);
    say("%x %x %x %d %d", settings.input ^ seen.input, settings.output ^ seen.output,
        settings.local ^ seen.local, settings.characters[VINTR] ^ seen.characters[VINTR],
        settings.characters[VQUIT] ^ seen.characters[VQUIT]);
}

int main(void) {
    open_pair();
    memset(&seen, 1, sizeof seen);
    gives(0, ioctl, terminal, TIOCGLCKTRMIOS, &seen);
    is("nothing is fixed", memcmp(&seen, &fixed, sizeof seen), 0);
    turn_over();
    fixed = (struct kernel_settings){.input = IXON, .output = OPOST, .local = ECHO};
    fixed.characters[VINTR] = 7;
    gives(0, ioctl, terminal, TIOCSLCKTRMIOS, &fixed);
    gives(0, ioctl, master, TIOCGLCKTRMIOS, &seen);
    is("as it was set", memcmp(&seen, &fixed, sizeof seen), 0);
    turn_over();
    in_child("somebody", somebody);
    fails(EFAULT, ioctl, terminal, TIOCGLCKTRMIOS, BAD);
    fails(EFAULT, ioctl, terminal, TIOCSLCKTRMIOS, BAD);
    memset(&fixed, 0, sizeof fixed);
    gives(0, ioctl, master, TIOCSLCKTRMIOS, &fixed);
    turn_over();
    return 0;
}
