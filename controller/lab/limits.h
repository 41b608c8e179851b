#pragma once

/// The numbers that a field of a message can hold.

#include <capnp/schema.h>

#include "common/reflect/notes.h"

namespace relab::lab {

/// Whether a type is one of the eight integers.
bool is_integer(capnp::Type type);

/// What both the type and the field's $range allow. 64-bit unsigned fields end at 63 bits, as
/// TOML's integers do.
reflect::Limits limits_of(capnp::Type type, const reflect::Notes& notes);

}  // namespace relab::lab
