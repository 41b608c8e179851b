#pragma once

/// What an order brings to be handed on.

#include <optional>

#include "agent/host/delivery.h"
#include "agent/trust/trust.h"
#include "schema/wire.capnp.h"

namespace relab::agent {

/// Nothing, if the order brings nothing. Fault::refused if it is to have a guest obey somebody whom
/// this agent does not obey, or names a file as no file is named.
Result<std::optional<Delivery>> delivery_of(schema::Order::Reader order, const Trust& trust);

}  // namespace relab::agent
