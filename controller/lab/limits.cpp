#include "controller/lab/limits.h"

#include <algorithm>
#include <limits>

namespace relab::lab {

namespace {

template <typename Number>
reflect::Limits all_of() {
  return {.least = std::numeric_limits<Number>::min(),
          .greatest = std::numeric_limits<Number>::max()};
}

reflect::Limits limits_of(capnp::Type type) {
  switch (type.which()) {
    case capnp::schema::Type::INT8:
      return all_of<std::int8_t>();
    case capnp::schema::Type::INT16:
      return all_of<std::int16_t>();
    case capnp::schema::Type::INT32:
      return all_of<std::int32_t>();
    case capnp::schema::Type::UINT8:
      return all_of<std::uint8_t>();
    case capnp::schema::Type::UINT16:
      return all_of<std::uint16_t>();
    case capnp::schema::Type::UINT32:
      return all_of<std::uint32_t>();
    case capnp::schema::Type::UINT64:
      return {.least = 0, .greatest = std::numeric_limits<std::int64_t>::max()};
    default:
      return all_of<std::int64_t>();
  }
}

}  // namespace

bool is_integer(capnp::Type type) {
  switch (type.which()) {
    case capnp::schema::Type::INT8:
    case capnp::schema::Type::INT16:
    case capnp::schema::Type::INT32:
    case capnp::schema::Type::INT64:
    case capnp::schema::Type::UINT8:
    case capnp::schema::Type::UINT16:
    case capnp::schema::Type::UINT32:
    case capnp::schema::Type::UINT64:
      return true;
    default:
      return false;
  }
}

reflect::Limits limits_of(capnp::Type type, const reflect::Notes& notes) {
  const auto own = limits_of(type);
  const auto given = notes.range.value_or(own);
  return {.least = std::max(own.least, given.least),
          .greatest = std::min(own.greatest, given.greatest)};
}

}  // namespace relab::lab
