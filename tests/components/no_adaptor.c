/*
 * A component to be refused: a newer interface of a class of the program's, no adaptor, and after
 * two classes that are in order.
 */
#include "tally.h"

K42_COMPONENT("no_adaptor");
K42_TRACE_EVENT(no_adaptor_event, "no_adaptor:nothing");
K42_CLASS(tally_a_fine_one) = {TALLY_PLAIN("tally.fine", 1)};
K42_CLASS(tally_another) = {TALLY_PLAIN("tally.plain", 40)};
K42_CLASS(tally_refused) = {TALLY2_PLAIN("tally.plain", 41)};
