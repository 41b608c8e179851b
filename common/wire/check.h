#pragma once

/// What Cap'n Proto itself does not check in a message from outside.

#include <capnp/dynamic.h>

#include "common/base/result.h"

namespace relab {

/// Walks the whole message: every text is UTF-8 without NULs, every enumerant and union member is
/// known here. May throw kj::Exception where the message is malformed or larger than its reader's
/// limits.
Result<void> check_message(capnp::DynamicStruct::Reader message);

/// Replaces what is not clean in every text of a message in the making: tools print any bytes they
/// like.
void clean_message(capnp::DynamicStruct::Builder message);

}  // namespace relab
