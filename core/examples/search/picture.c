/*
 * The picture: gnuplot, fed through a pipe with commands and data. No state.
 *
 * Left: cycles per search against the number of threads. Right: the load that rises and falls, with
 * a line for each
 * swap, and the same with a cache that stays shared.
 */
#include <signal.h>
#include <string.h>

#include "experiment.h"

static void draw_sweep(FILE *plot, const struct sweep *sweep) {
    fprintf(plot, "$sweep << EOD\n");
    for (unsigned point = 0; point < sweep->points; point++) {
        fprintf(plot, "%u", sweep->threads[point]);
        for (unsigned mode = 0; mode < MODES; mode++) {
            const struct sweep_cell *cell = &sweep->cells[point][mode];
            fprintf(plot, " %g %g %g", cell->median / 1000, cell->lower / 1000, cell->upper / 1000);
        }
        fprintf(plot, "\n");
    }
    fprintf(plot,
            "EOD\n"
            "set title 'Cycles per search: lower is better'\n"
            "set xlabel 'threads'\nset ylabel 'thousand cycles per search'\n"
            "set logscale x 2\nset xrange [0.85:%g]\nset yrange [0:*]\nset xtics (",
            sweep->threads[sweep->points - 1] * 1.18);
    for (unsigned point = 0; point < sweep->points; point++)
        fprintf(plot, "%s%u", point ? "," : "", sweep->threads[point]);
    fprintf(plot, ")\nset key top left\nset grid y lc rgb '#dddddd'\nplot ");
    static const char *const colours[MODES] = {"#c0392b", "#2471a3", "#1e8449"};
    static const char *const marks[MODES] = {"pt 5", "pt 9", "pt 6 ps 1.8 dt 2"};
    for (unsigned mode = 0; mode < MODES; mode++)
        fprintf(plot, "%s$sweep using 1:%u:%u:%u with yerrorlines lw 2 %s lc rgb '%s' title '%s'",
                mode ? ", " : "", 2 + 3 * mode, 3 + 3 * mode, 4 + 3 * mode, marks[mode],
                colours[mode], mode_names[mode]);
    fprintf(plot, "\nunset logscale x\nset xtics auto\nset xrange [*:*]\n");
}

static void draw_swaps(FILE *plot, struct swap_log *log) {
    for (unsigned i = 0; i < swap_log_count(log); i++) {
        struct swap_log_entry entry = swap_log_entry(log, i);
        if (entry.report.result < 0)
            continue;
        fprintf(plot,
                "set arrow from %g, graph 0 to %g, graph 1 nohead lw 2 lc rgb '#7d3c98'\n"
                "set label '%s' at %g, graph 0.04 rotate by 90 offset -0.7,0 "
                "textcolor rgb '#7d3c98'\n",
                entry.at_seconds, entry.at_seconds, entry.class_name, entry.at_seconds);
    }
}

static void draw_samples(FILE *plot, const char *name, const struct load *load) {
    fprintf(plot, "$%s << EOD\n", name);
    for (unsigned i = 0; i < load->samples; i++)
        fprintf(plot, "%g %g\n", load->sample[i].at_seconds, load->sample[i].searches_per_ms);
    fprintf(plot, "EOD\n");
}

static void draw_load(FILE *plot, struct load *load, const struct load *fixed) {
    draw_samples(plot, "adaptive", load);
    draw_samples(plot, "fixed", fixed);
    fprintf(plot,
            "set title 'The cache swaps itself: %u threads from %.1f s to %.1f s, else one'\n"
            "set xlabel 'seconds'\nset ylabel 'searches per millisecond, all threads'\n"
            "set yrange [0:*]\nset key top right\n"
            "set object 1 rectangle from %g, graph 0 to %g, graph 1 behind fc rgb '#f4f0e6' "
            "fs noborder\n",
            load->threads, load->rise_seconds, load->fall_seconds, load->rise_seconds,
            load->fall_seconds);
    draw_swaps(plot, &load->log);
    fprintf(plot, "plot $fixed with lines lw 2 lc rgb '#c0392b' title 'stays shared', "
                  "$adaptive with lines lw 2 lc rgb '#1e8449' title 'adaptive'\n");
}

static void draw(FILE *plot, const char *file, const struct sweep *sweep, struct load *load,
                 const struct load *fixed) {
    int panels = (sweep != NULL) + (load != NULL);
    fprintf(plot,
            "set terminal pngcairo size %d,520 font 'sans,11' enhanced\nset output '%s'\n"
            "set multiplot layout 1,%d\n",
            panels * 680, file, panels);
    if (sweep)
        draw_sweep(plot, sweep);
    if (load)
        draw_load(plot, load, fixed);
    fprintf(plot, "unset multiplot\n");
}

int picture_draw(const char *file, const struct sweep *sweep, struct load *load,
                 const struct load *fixed) {
    if (strchr(file, '\'') || strchr(file, '\n')) {
        fprintf(stderr, "search: no picture: %s has a quote or a new line in its name\n", file);
        return -1;
    }
    /* A gnuplot that is not there, or ends early, is an error to report, not a signal. */
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    FILE *plot = popen("gnuplot >/dev/null 2>&1", "w");
    if (plot)
        draw(plot, file, sweep, load, fixed);
    int failed = !plot || pclose(plot);
    signal(SIGPIPE, before);
    if (failed)
        fprintf(stderr,
                "search: no picture %s: gnuplot failed; is it installed (gnuplot-nox), and may the "
                "file be written?\n",
                file);
    return failed ? -1 : 0;
}
