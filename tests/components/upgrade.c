/*
 * A component that brings a new version of a class of the program's, of the same interface.
 */
#include "tally.h"

K42_COMPONENT("upgrade");
K42_CLASS(tally_20) = {TALLY_PLAIN("tally.plain", 20)};
