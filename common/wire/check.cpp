#include "common/wire/check.h"

#include <fmt/format.h>
#include <string_view>

#include "common/base/text.h"

namespace relab {

namespace {

Result<void> check_value(const capnp::DynamicValue::Reader& value, std::string_view field);

Result<void> check_list(capnp::DynamicList::Reader list, std::string_view field) {
  switch (list.getSchema().whichElementType()) {
    case capnp::schema::Type::VOID:
    case capnp::schema::Type::BOOL:
    case capnp::schema::Type::INT8:
    case capnp::schema::Type::INT16:
    case capnp::schema::Type::INT32:
    case capnp::schema::Type::INT64:
    case capnp::schema::Type::UINT8:
    case capnp::schema::Type::UINT16:
    case capnp::schema::Type::UINT32:
    case capnp::schema::Type::UINT64:
    case capnp::schema::Type::FLOAT32:
    case capnp::schema::Type::FLOAT64:
      return {};
    default:
      break;  // pointers and enums are looked at one by one
  }
  for (const auto& element : list) RELAB_CHECK(check_value(element, field));
  return {};
}

Result<void> check_value(const capnp::DynamicValue::Reader& value, std::string_view field) {
  switch (value.getType()) {
    case capnp::DynamicValue::TEXT: {
      const auto text = value.as<capnp::Text>();
      if (is_clean_text({text.begin(), text.size()})) return {};
      return fail(Fault::damaged, fmt::format("'{}' holds text that is not clean UTF-8", field));
    }
    case capnp::DynamicValue::ENUM:
      if (value.as<capnp::DynamicEnum>().getEnumerant() != nullptr) return {};
      return fail(Fault::unsupported,
                  fmt::format("'{}' has a value this version does not know", field),
                  "upgrade the older of the two sides");
    case capnp::DynamicValue::LIST:
      return check_list(value.as<capnp::DynamicList>(), field);
    case capnp::DynamicValue::STRUCT:
      return check_message(value.as<capnp::DynamicStruct>());
    default:
      return {};
  }
}

}  // namespace

Result<void> check_message(capnp::DynamicStruct::Reader message) {
  const auto schema = message.getSchema();
  if (schema.getUnionFields().size() != 0 && message.which() == nullptr)
    return fail(Fault::unsupported,
                fmt::format("a {} holds a member this version does not know",
                            schema.getShortDisplayName().cStr()),
                "upgrade the older of the two sides");
  for (const auto field : schema.getNonUnionFields())
    RELAB_CHECK(check_value(message.get(field), field.getProto().getName().cStr()));
  KJ_IF_MAYBE (member, message.which())
    RELAB_CHECK(check_value(message.get(*member), member->getProto().getName().cStr()));
  return {};
}

namespace {

void clean_list(capnp::DynamicList::Builder list) {
  for (unsigned i = 0; i < list.size(); ++i) {
    auto element = list[i];
    if (element.getType() == capnp::DynamicValue::STRUCT) {
      clean_message(element.as<capnp::DynamicStruct>());
    } else if (element.getType() == capnp::DynamicValue::LIST) {
      clean_list(element.as<capnp::DynamicList>());
    } else if (element.getType() == capnp::DynamicValue::TEXT) {
      const auto text = element.asReader().as<capnp::Text>();
      const std::string_view old(text.begin(), text.size());
      if (!is_clean_text(old)) list.set(i, capnp::Text::Reader(clean_text(old).c_str()));
    }
  }
}

void clean_field(capnp::DynamicStruct::Builder message, capnp::StructSchema::Field field) {
  if (!message.has(field)) return;
  auto value = message.get(field);
  if (value.getType() == capnp::DynamicValue::STRUCT) {
    clean_message(value.as<capnp::DynamicStruct>());
  } else if (value.getType() == capnp::DynamicValue::LIST) {
    clean_list(value.as<capnp::DynamicList>());
  } else if (value.getType() == capnp::DynamicValue::TEXT) {
    const auto text = value.asReader().as<capnp::Text>();
    const std::string_view old(text.begin(), text.size());
    if (!is_clean_text(old)) message.set(field, capnp::Text::Reader(clean_text(old).c_str()));
  }
}

}  // namespace

void clean_message(capnp::DynamicStruct::Builder message) {
  for (const auto field : message.getSchema().getNonUnionFields()) clean_field(message, field);
  KJ_IF_MAYBE (member, message.which()) clean_field(message, *member);
}

}  // namespace relab
