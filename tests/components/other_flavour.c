/*
 * A component to be refused: compiled for the flavour that the program is not.
 */
#include "tally.h"

K42_COMPONENT("other_flavour");
K42_CLASS(tally_other_flavour) = {TALLY_PLAIN("tally.flavour", 1)};
