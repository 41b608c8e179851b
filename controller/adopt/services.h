#pragma once

/// The programs of a guest, as far as an audit found them.

#include <cstdint>
#include <string_view>

#include "controller/adopt/adopt.h"
#include "controller/adopt/lab_text.h"

namespace relab::controller {

/// A path that a lab file takes.
bool is_path(std::string_view path);

/// Writes those of this guest behind its own lines.
void adopt_services(const AdoptedAudit& audit, std::uint32_t vmid, LabText& out);

}  // namespace relab::controller
