#include "common/reflect/annotations.h"

namespace relab::reflect {

std::optional<capnp::schema::Value::Reader> annotation_of(capnp::StructSchema::Field field,
                                                          std::uint64_t id) {
  for (const auto annotation : field.getProto().getAnnotations())
    if (annotation.getId() == id) return annotation.getValue();
  return {};
}

std::optional<std::string_view> text_annotation(capnp::StructSchema::Field field,
                                                std::uint64_t id) {
  const auto value = annotation_of(field, id);
  if (!value || !value->isText()) return {};
  const auto text = value->getText();
  return std::string_view(text.begin(), text.size());
}

std::optional<std::string_view> doc_of(capnp::StructSchema::Field field) {
  return text_annotation(field, annotation::doc);
}
std::optional<std::string_view> limit_of(capnp::StructSchema::Field field) {
  return text_annotation(field, annotation::limit);
}
std::optional<std::string_view> audit_section_of(capnp::StructSchema::Field field) {
  return text_annotation(field, annotation::audit);
}
bool is_convergent(capnp::StructSchema::Field field) {
  return annotation_of(field, annotation::convergent).has_value();
}

}  // namespace relab::reflect
