#pragma once

/// Large files past the page cache: a backup of terabytes must not push everything else out of
/// memory, and what is read back must come from the disk, not from what was kept of the writing.

#include <memory>
#include <stop_token>

#include "agent/host/flow.h"

namespace relab::agent {

/// A new file at exactly this path, which must not exist. A thread of its own writes while the next
/// bytes are taken. Fault::conflict if there is something already.
Result<std::unique_ptr<NewFile>> create_direct(const std::filesystem::path& path,
                                               std::stop_token stop);

/// What there is of the range in a regular file or block device, read by a thread of its own.
/// Fault::missing if there is none, ::damaged with the place where the disk does not give it.
Result<void> read_direct(const std::filesystem::path& path, const Range& range, Sink& sink,
                         const std::stop_token& stop);

}  // namespace relab::agent
