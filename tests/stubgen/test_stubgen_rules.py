"""The rules of interfaces: each breach is reported where it stands, with what would be right."""
import pytest
from stubgen_tool import (AROUND, ROOT, breaches, fine, method, only_breach, run_on, sample, write)


def refused(tmp_path, declaration, *words, line=6):
    """A method is refused once, at its line, with these words."""
    where, text = only_breach(tmp_path, sample(method(declaration)))
    assert where == line, text
    for word in words:
        assert word in text


# ---- what is right ----

@pytest.mark.parametrize("declaration", [
    "K42_METHOD(none)(struct sample *self)",
    "K42_METHOD_PAIR(pair)(struct sample *self, uint64_t a, int b, _Bool c, char d, size_t e)",
    "K42_METHOD(refs)(struct sample *self, k42_ref one, k42_object_ref two)",
    "K42_METHOD(ref_out)(struct sample *self, K42_OUT k42_ref *ref)",
    "K42_METHOD(scalar)(struct sample *self, K42_IN const long *a, K42_OUT int *b, "
    "K42_INOUT uint32_t *c)",
    "K42_METHOD(buffer)(struct sample *self, K42_BUF(size, 64) const void *bytes, size_t size)",
    "K42_METHOD(refs)(struct sample *self, K42_OUT K42_BUF(n, 64) k42_ref *refs, unsigned n)",
    "K42_METHOD(limit)(struct sample *self, K42_OUT K42_BUF(n, 16 * sizeof(long)) long *a, int n)",
    "K42_METHOD(string)(struct sample *self, K42_STRING(255) const char *name)",
    "K42_METHOD(local)(struct sample *self, K42_LOCAL void *a, K42_LOCAL void (*visit)(int))",
    "K42_METHOD(mode)(struct sample *self, enum k42_verdict_like mode)",
    "K42_METHOD(stats)(struct sample *self, K42_OUT struct plain *plain)",
])
def test_what_the_rules_allow_is_accepted(tmp_path, declaration):
    types = ("enum k42_verdict_like { ONE };\n"
             "struct plain { long a[4]; double b; k42_ref ref; union { int c; char d[9]; }; };\n")
    text = sample(method(declaration))
    fine(tmp_path, text.replace("struct sample;\n", types + "struct sample;\n"))


def test_the_base_object_keeps_the_rules(tmp_path):
    fine(tmp_path, (ROOT / "include/k42/ref.h").read_text())


def test_factories_keep_the_rules(tmp_path):
    fine(tmp_path, (ROOT / "include/k42/class.h").read_text())


# ---- methods ----

def test_a_method_not_declared_by_the_macro_is_refused(tmp_path):
    refused(tmp_path, "k42_result (*bare)(struct sample *self)", "'bare'", "K42_METHOD(bare)")


def test_a_method_with_another_result_is_refused(tmp_path):
    where, text = only_breach(tmp_path, sample(method(
        "K42_METHOD(text)(struct sample *self)")).replace(
            "struct sample;\n", "struct sample;\n#define k42_result int\n"))
    assert where == 7 and "'text' returns 'int'" in text


def test_a_member_that_is_no_method_is_refused(tmp_path):
    refused(tmp_path, "long count", "'count' is not a method")


def test_a_method_without_parameters_is_refused(tmp_path):
    refused(tmp_path, "K42_METHOD(lost)(void)", "'lost'", "'struct sample *self'")


@pytest.mark.parametrize("self", ["struct k42_object *self", "struct sample *this_",
                                  "const struct sample *self", "long self"])
def test_a_method_that_does_not_begin_with_self_is_refused(tmp_path, self):
    refused(tmp_path, f"K42_METHOD(odd)({self})", "'odd'", "'struct sample *self'")


def test_six_arguments_after_self_are_refused(tmp_path):
    refused(tmp_path,
            "K42_METHOD(many)(struct sample *self, int a, int b, int c, int d, int e, int f)",
            "'many' takes 6 arguments", "at most 5")


def test_a_variable_number_of_arguments_is_refused(tmp_path):
    refused(tmp_path, "K42_METHOD(any)(struct sample *self, int a, ...)", "'any'",
            "variable number")


def test_a_method_name_with_capitals_is_refused(tmp_path):
    refused(tmp_path, "K42_METHOD(readAll)(struct sample *self)", "'readAll'", "lower case")


def test_a_method_without_comment_is_refused(tmp_path):
    where, text = only_breach(tmp_path, sample("    K42_METHOD(dark)(struct sample *self);"))
    assert where == 5 and "'dark' has no comment" in text


def test_a_comment_a_blank_line_away_is_not_the_methods(tmp_path):
    where, text = only_breach(tmp_path, sample("    /* About it all. */\n",
                                               "    K42_METHOD(dark)(struct sample *self);"))
    assert where == 7 and "'dark' has no comment" in text


def test_a_comment_behind_one_method_is_not_the_next_ones(tmp_path):
    where, text = only_breach(tmp_path, sample(
        "    K42_METHOD(lit)(struct sample *self); /* Does it. */",
        "    K42_METHOD(dark)(struct sample *self);"))
    assert where == 6 and "'dark' has no comment" in text


def test_line_comments_are_comments(tmp_path):
    fine(tmp_path, sample(method("K42_METHOD(lit)(struct sample *self)", "// Does\n    // it.")))


# ---- parameters ----

def parameter_refused(tmp_path, parameters, *words):
    refused(tmp_path, f"K42_METHOD(take)(struct sample *self, {parameters})", "'take'", *words)


def test_floating_point_is_refused(tmp_path):
    parameter_refused(tmp_path, "double rate", "'rate'", "floating point")


def test_a_struct_by_value_is_refused(tmp_path):
    parameter_refused(tmp_path, "struct k42_pair pair", "'pair'", "by value", "K42_IN")


def test_an_integer_of_two_registers_is_refused(tmp_path):
    parameter_refused(tmp_path, "__int128 wide", "'wide'", "64 bits")


def test_an_array_parameter_is_refused(tmp_path):
    parameter_refused(tmp_path, "char name[16]", "'name'", "array", "K42_BUF")


def test_a_parameter_without_name_is_refused(tmp_path):
    parameter_refused(tmp_path, "long", "without a name")


def test_a_parameter_name_with_capitals_is_refused(tmp_path):
    parameter_refused(tmp_path, "long pageSize", "'pageSize'", "lower case")


def test_a_pointer_without_annotation_is_refused(tmp_path):
    parameter_refused(tmp_path, "long *n", "'n'", "without annotation", "K42_OUT")


def test_a_const_pointer_without_annotation_is_refused(tmp_path):
    parameter_refused(tmp_path, "const long *n", "'n'", "without annotation", "K42_IN")


def test_a_pointer_to_void_needs_a_length(tmp_path):
    parameter_refused(tmp_path, "K42_IN const void *p", "'p'", "points to void", "K42_BUF")


def test_a_function_pointer_must_be_local(tmp_path):
    parameter_refused(tmp_path, "K42_IN void (*visit)(int)", "'visit'", "function", "K42_LOCAL")


def test_a_pointer_to_a_pointer_must_be_local(tmp_path):
    parameter_refused(tmp_path, "K42_OUT char **text", "'text'", "it is a pointer", "K42_LOCAL")


def test_a_pointer_to_a_representative_must_be_local(tmp_path):
    parameter_refused(tmp_path, "K42_IN struct sample *other", "'other'",
                      "member 'ops' is a pointer", "pass a ref")


def test_a_struct_unknown_here_must_be_local(tmp_path):
    parameter_refused(tmp_path, "K42_IN struct k42_class_record *p", "'p'", "not defined here")


def with_struct(fields):
    take = method("K42_METHOD(take)(struct sample *self, K42_IN const struct held *p)")
    return sample(take).replace(
        "struct sample;\n", f"struct sample; struct held {{ {fields} }};\n")


@pytest.mark.parametrize("fields, reason", [
    ("char *text;", "member 'text' is a pointer"),
    ("int a; struct { long b; void *deep; } in;", "in member 'in', member 'deep' is a pointer"),
    ("union { long a; void (*fn)(void); };", "member 'fn' is a pointer"),
    ("const char *names[4];", "member 'names' is a pointer"),
    ("int n; char data[];", "member 'data' has no fixed length"),
])
def test_a_struct_that_holds_addresses_must_be_local(tmp_path, fields, reason):
    where, text = only_breach(tmp_path, with_struct(fields))
    assert where == 6 and reason in text and "K42_LOCAL" in text


def test_a_buffer_of_pointers_must_be_local(tmp_path):
    parameter_refused(tmp_path, "K42_OUT K42_BUF(n, 64) char **list, size_t n", "'list'",
                      "cannot cross")


def test_a_buffer_names_an_existing_parameter(tmp_path):
    parameter_refused(tmp_path, "K42_BUF(size, 64) const char *p, size_t length", "'p'", "'size'",
                      "no parameter")


def test_a_buffers_length_is_an_integer(tmp_path):
    parameter_refused(tmp_path, "K42_BUF(size, 64) const char *p, K42_IN const size_t *size",
                      "'size'", "must be an integer")


@pytest.mark.parametrize("limit", ["0", "-1", "1ull << 50"])
def test_a_limit_is_a_sensible_number_of_bytes(tmp_path, limit):
    parameter_refused(tmp_path, f"K42_STRING({limit}) const char *p", "'p'", "limit")


@pytest.mark.parametrize("limit", ["UNKNOWN", "", "1 +"])
def test_a_limit_is_a_constant(tmp_path, limit):
    parameter_refused(tmp_path, f"K42_STRING({limit}) const char *p", "'p'", "not a constant")


def test_one_wrong_limit_leaves_the_others_alone(tmp_path):
    parameter_refused(tmp_path, "K42_STRING(1 +) const char *p, K42_STRING(9) const char *q", "'p'")


def test_a_string_is_of_char(tmp_path):
    parameter_refused(tmp_path, "K42_STRING(8) const int *p", "'p'", "of char")


def test_a_buffer_written_to_says_so(tmp_path):
    parameter_refused(tmp_path, "K42_BUF(n, 8) char *p, size_t n", "'p'", "no direction")


def test_what_is_written_is_not_const(tmp_path):
    parameter_refused(tmp_path, "K42_OUT const long *p", "'p'", "const")


def test_two_directions_are_refused(tmp_path):
    parameter_refused(tmp_path, "K42_IN K42_OUT long *p", "'p'", "more than one direction")


def test_buffer_and_string_at_once_are_refused(tmp_path):
    parameter_refused(tmp_path, "K42_BUF(n, 8) K42_STRING(8) const char *p, int n", "'p'", "both")


def test_a_note_given_twice_is_refused(tmp_path):
    parameter_refused(tmp_path, "K42_OUT K42_OUT long *p", "'p'", "twice")


def test_a_direction_of_an_integer_is_refused(tmp_path):
    parameter_refused(tmp_path, "K42_OUT long n", "'n'", "for pointers")


# ---- interfaces ----

def changed(tmp_path, old, new, *words):
    """The sample with one thing changed has one breach, with these words."""
    text = sample(method("K42_METHOD(go)(struct sample *self)"))
    assert old in text
    _, found = only_breach(tmp_path, text.replace(old, new))
    for word in words:
        assert word in found


def test_operations_begin_with_the_common_ones(tmp_path):
    changed(tmp_path, "    struct k42_object_ops object;\n", "", "does not begin",
            "'struct k42_object_ops object'")


def test_the_common_operations_are_called_object(tmp_path):
    text = sample(method("K42_METHOD(go)(struct sample *self)")).replace("ops object;", "ops base;")
    found = [text for _, text in breaches(run_on(write(tmp_path, text)))]
    assert any("'struct k42_object_ops object'" in text for text in found)


def test_operations_are_named_after_their_interface(tmp_path):
    changed(tmp_path, "sample_ops", "sample_calls", "'struct NAME_ops'")


def test_an_interface_name_with_capitals_is_refused(tmp_path):
    changed(tmp_path, "sample", "Sample", "'Sample'", "lower case")


def test_an_interface_has_a_representative(tmp_path):
    changed(tmp_path, "struct sample { const struct sample_ops *ops; };\n", "", "no representative")


@pytest.mark.parametrize("members", ["long x; const struct sample_ops *ops;",
                                     "struct sample_ops *ops;", "const struct sample_ops *calls;"])
def test_a_representative_begins_with_its_operations(tmp_path, members):
    changed(tmp_path, "const struct sample_ops *ops;", members, "'const struct sample_ops *ops'")


def test_an_interface_has_a_ref(tmp_path):
    changed(tmp_path, "K42_DECLARE_REF(sample);\n", "", "no ref", "K42_DECLARE_REF(sample)")


def test_a_ref_is_of_its_interface(tmp_path):
    changed(tmp_path, "K42_DECLARE_REF(sample);", "typedef k42_ref sample_ref;", "not a ref of")


def test_an_interface_declares_its_descriptor(tmp_path):
    changed(tmp_path, "extern const struct k42_interface sample_interface;\n", "", "no descriptor")


@pytest.mark.parametrize("version", ["0", "65536", "-3", "many"])
def test_a_version_is_a_small_number(tmp_path, version):
    changed(tmp_path, "struct sample;\n",
            f"struct sample;\n#define SAMPLE_INTERFACE_VERSION {version}\n",
            "SAMPLE_INTERFACE_VERSION", "1 to 65535")


def test_atomic_is_yes_or_no(tmp_path):
    changed(tmp_path, "struct sample;\n", "struct sample;\n#define SAMPLE_INTERFACE_ATOMIC 2\n",
            "SAMPLE_INTERFACE_ATOMIC", "0 or 1")


def many_methods(count):
    return sample(*(method(f"K42_METHOD(m{i})(struct sample *self)") for i in range(count)))


def test_as_many_methods_as_there_are_stubs_are_accepted(tmp_path):
    fine(tmp_path, many_methods(127))


def test_more_methods_than_stubs_are_refused(tmp_path):
    _, text = only_breach(tmp_path, many_methods(128))
    assert "129 methods" in text and "128" in text


def test_a_header_without_interface_is_refused(tmp_path):
    _, text = only_breach(tmp_path, "#include <k42/object.h>\nstruct plain { int a; };\n")
    assert "no interface found" in text


def test_every_breach_is_reported_in_one_run_in_order(tmp_path):
    text = sample("    K42_METHOD(one)(struct sample *self, float a);",
                  "    K42_METHOD(two)(struct sample *self, long *b);",
                  method("int three"))
    result = run_on(write(tmp_path, text))
    lines = [line for line, _ in breaches(result)]
    assert lines == [5, 5, 6, 6, 8] and result.returncode == 1


def test_two_interfaces_of_a_header_are_both_judged(tmp_path):
    one = AROUND % "    K42_METHOD(dark)(struct sample *self);"
    result = run_on(write(tmp_path, one + one.replace("sample", "other")))
    assert [line for line, _ in breaches(result)] == [5, 14]
