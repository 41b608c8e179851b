#pragma once

/// What is said of a disk that a person attaches, whatever is then done with it.

#include <string>
#include <string_view>

#include "agent/kinds/kind.h"

namespace relab::agent {

/// A wait for the disk with that serial number.
Awaited until_attached(const std::string& serial);

/// Fault::refused if the disk is not on USB: it may be one of the machine's own.
Result<void> check_on_usb(const std::string& serial, std::string_view bus);

/// Fault::refused if a name below /dev/disk/by-id is asked for, and is none of the disk's.
Result<void> check_by_id(const std::string& serial, const std::string& wanted,
                         capnp::List<capnp::Text>::Reader aliases);

/// Fault::refused if `what` ("the disk X") has less than is asked for, in bytes.
Result<void> check_size(const std::string& what, std::uint64_t size, std::uint64_t least);

}  // namespace relab::agent
