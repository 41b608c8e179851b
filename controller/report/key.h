#pragma once

/// What tells the elements of a list apart, by reflection.
///
/// Rule: the candidates are the fields with $key, then those whose names stand in a fixed list, the
/// most lasting first (guid, uuid, serial, vmid, id, ... see key.cpp), and $volatile ones never.
/// The first candidate that is told in every row and different in each is the key. Otherwise the
/// candidates are put together, one by one, until no two rows agree. If all together do not tell
/// the rows apart, there is no key.

#include <capnp/dynamic.h>
#include <string>
#include <vector>

namespace relab::controller {

using Rows = std::vector<capnp::DynamicStruct::Reader>;
using Key = std::vector<capnp::StructSchema::Field>;

Rows rows_of(capnp::DynamicList::Reader list);

/// The fields that identify each row in every one of the lists, which are of one schema. Empty:
/// none do.
Key identity_of(const std::vector<Rows>& lists);

/// The same with what people call things by before what machines do: name, path, ...
Key label_of(const std::vector<Rows>& lists);

/// The values of these fields in this row, joined by spaces; blank ones left out.
std::string value_of(const Key& key, capnp::DynamicStruct::Reader row);

}  // namespace relab::controller
