/* The architecture as the space's arch file has it: for archai-space, and for Archai. */
#include <string.h>

#include "io/file/file.h"
#include "runner/inspect/export/format.h"

static int write(const export_model *m, const archai_beside *out, archai_err *err)
{
    const char *arch = m->t->r.rows[m->row].arch;

    return archai_file_pwrite(out->fd, arch, strlen(arch), 0, "the architecture", err);
}

const export_format export_arch = {
    .name = "arch", .endings = {"json", "yaml"}, .text = true, .write = write};
