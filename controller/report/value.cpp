#include "controller/report/value.h"

#include <fmt/format.h>

#include "common/base/bytes.h"
#include "common/base/time.h"
#include "common/reflect/notes.h"
#include "controller/report/words.h"

namespace relab::controller {

namespace {

using capnp::DynamicValue;

constexpr std::uint64_t span_seconds_max = 1'000'000'000'000;
/// The end of the year 9999.
constexpr std::uint64_t unix_millis_max = 253'402'300'799'999;

bool is_moment(std::string_view unit) {
  return unit.starts_with("unix m") || unit.find("since 1970") != std::string_view::npos;
}

/// "percent of spare blocks left" and "sectors of 512 bytes" without what the documentation tells.
std::string_view short_unit(std::string_view unit) {
  const auto bare = unit.substr(0, unit.find(" of "));
  if (bare == "percent") return "%";
  if (bare == "degrees Celsius") return "°C";
  return bare == "bytes" ? "B" : bare;
}

std::string with_unit(const std::string& number, std::string_view unit) {
  return unit.empty() ? number : fmt::format("{} {}", number, short_unit(unit));
}

Millis per(std::string_view unit) {
  using namespace std::chrono_literals;
  if (unit == "seconds") return 1s;
  if (unit == "minutes") return 1min;
  return unit == "hours" ? Millis(1h) : Millis(0);
}

std::string moment(std::uint64_t value, Precision precision) {
  if (value > unix_millis_max || precision == Precision::exact)
    return fmt::format("{} unix ms", value);
  return iso8601(instant_of(value));
}

/// An MTU of 1500 is not "1.5 KiB".
std::string size(std::uint64_t bytes) {
  constexpr std::uint64_t exact_below = 10240;
  const auto rounds = bytes < exact_below && bytes % 1024 != 0;
  return rounds ? fmt::format("{} B", bytes) : human_bytes(bytes);
}

std::string measured(std::uint64_t value, std::string_view unit, Precision precision) {
  if (is_moment(unit)) return value == 0 ? "" : moment(value, precision);
  if (precision == Precision::rounded) {
    if (unit == "bytes") return size(value);
    if (unit == "milliseconds" && value < span_seconds_max)
      return human(Millis(static_cast<std::int64_t>(value)));
    if (per(unit) != Millis(0) && value < span_seconds_max)
      return human(per(unit) * static_cast<std::int64_t>(value));
  }
  return with_unit(std::to_string(value), unit);
}

std::int64_t default_of(capnp::StructSchema::Field field) {
  if (!field.getProto().isSlot()) return 0;
  const auto value = field.getProto().getSlot().getDefaultValue();
  switch (value.which()) {
    case capnp::schema::Value::INT8:
      return value.getInt8();
    case capnp::schema::Value::INT16:
      return value.getInt16();
    case capnp::schema::Value::INT32:
      return value.getInt32();
    case capnp::schema::Value::INT64:
      return value.getInt64();
    default:
      return 0;
  }
}

Shown told(std::string text, bool number = false) {
  const auto blank = text.empty();
  return {.text = std::move(text), .number = number, .blank = blank};
}

/// A moment is no number: nobody compares its digits.
Shown quantity(std::uint64_t value, const std::string& unit, Precision precision) {
  return told(measured(value, unit, precision), !is_moment(unit));
}

Shown integer(std::int64_t value, capnp::StructSchema::Field field, const std::string& unit,
              Precision precision) {
  if (value >= 0) return quantity(static_cast<std::uint64_t>(value), unit, precision);
  if (value == default_of(field)) return {.text = {}, .number = true, .blank = true};
  return told(with_unit(std::to_string(value), unit), true);
}

Shown enumerant(const capnp::DynamicEnum& value) {
  KJ_IF_MAYBE (known, value.getEnumerant()) {
    if (reflect::is_unset(*known)) return told({});
    return told(human_name(known->getProto().getName().cStr()));
  }
  return told(fmt::format("unknown ({})", value.getRaw()));
}

std::string hexadecimal(capnp::Data::Reader data, Precision precision) {
  constexpr std::size_t bytes_max = 32;
  const ByteView bytes(data.begin(), data.size());
  if (bytes.size() <= bytes_max || precision == Precision::exact) return hex(bytes);
  return fmt::format("{}… ({} bytes)", hex(bytes.first(bytes_max)), bytes.size());
}

Shown list(capnp::DynamicList::Reader elements, capnp::StructSchema::Field field,
           Precision precision) {
  std::string joined;
  for (const auto element : elements)
    joined += (joined.empty() ? "" : ", ") + show(element, field, precision).text;
  return {.text = joined, .number = false, .blank = elements.size() == 0};
}

}  // namespace

Shown show(const DynamicValue::Reader& value, capnp::StructSchema::Field field,
           Precision precision) {
  const auto notes = reflect::notes_of(field);
  if (notes.secret) return told("(secret)");
  switch (value.getType()) {
    case DynamicValue::VOID:
      return told("yes");
    case DynamicValue::BOOL:
      return told(value.as<bool>() ? "yes" : "no");
    case DynamicValue::INT:
      return integer(value.as<std::int64_t>(), field, notes.unit, precision);
    case DynamicValue::UINT:
      return quantity(value.as<std::uint64_t>(), notes.unit, precision);
    case DynamicValue::FLOAT:
      return told(
          with_unit(precision == Precision::exact ? fmt::format("{}", value.as<double>())
                                                  : fmt::format("{:.6g}", value.as<double>()),
                    notes.unit),
          true);
    case DynamicValue::TEXT: {
      const auto text = value.as<capnp::Text>();
      return told({text.begin(), text.size()});
    }
    case DynamicValue::DATA:
      return told(hexadecimal(value.as<capnp::Data>(), precision));
    case DynamicValue::ENUM:
      return enumerant(value.as<capnp::DynamicEnum>());
    case DynamicValue::LIST:
      return list(value.as<capnp::DynamicList>(), field, precision);
    case DynamicValue::STRUCT:
      return told(kj::str(value).cStr());
    case DynamicValue::UNKNOWN:
    case DynamicValue::CAPABILITY:
    case DynamicValue::ANY_POINTER:
      return told("(cannot be shown)");
  }
  return told("(cannot be shown)");
}

Shown show(capnp::DynamicStruct::Reader row, capnp::StructSchema::Field field,
           Precision precision) {
  return show(row.get(field), field, precision);
}

}  // namespace relab::controller
