/*
 * A shared object that is no component.
 */
int no_component(void);

int no_component(void) {
    return 42;
}
