#pragma once

/// A value of a fact as a person reads it: with its unit, and blank where nothing was told.

#include <capnp/dynamic.h>
#include <string>

namespace relab::controller {

enum class Precision {
  rounded,  ///< "1.8 TiB", "3 d 2 h"
  exact,    ///< "1979120929996 B": where rounding would hide a difference
};

struct Shown {
  std::string text;
  /// It counts or measures something.
  bool number = false;
  /// Nothing was told: an empty text or list, a time of 0, a negative number that is its field's
  /// default, an enumerant called "unset". Zero and false are told.
  bool blank = false;
};

/// Anything but structs and lists of structs. $secret fields never show their value. The text is
/// not made harmless yet.
Shown show(const capnp::DynamicValue::Reader& value, capnp::StructSchema::Field field,
           Precision precision = Precision::rounded);

/// The field's value in this struct.
Shown show(capnp::DynamicStruct::Reader row, capnp::StructSchema::Field field,
           Precision precision = Precision::rounded);

}  // namespace relab::controller
