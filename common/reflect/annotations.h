#pragma once

/// The annotations of schema/annotations.capnp, as a field carries them.

#include <capnp/schema.h>
#include <cstdint>
#include <optional>
#include <string_view>

namespace relab::reflect {

/// The ids in schema/annotations.capnp, for which Cap'n Proto generates no names.
namespace annotation {
inline constexpr std::uint64_t doc = 0xb5a1d7a4a9b0c101;
inline constexpr std::uint64_t audit = 0xb5a1d7a4a9b0c10a;
inline constexpr std::uint64_t convergent = 0xb5a1d7a4a9b0c10b;
inline constexpr std::uint64_t limit = 0xb5a1d7a4a9b0c10d;
}  // namespace annotation

/// The annotation with this id, if the field has it.
std::optional<capnp::schema::Value::Reader> annotation_of(capnp::StructSchema::Field field,
                                                          std::uint64_t id);

/// The text of an annotation whose value is a text.
std::optional<std::string_view> text_annotation(capnp::StructSchema::Field field, std::uint64_t id);

std::optional<std::string_view> doc_of(capnp::StructSchema::Field field);
std::optional<std::string_view> limit_of(capnp::StructSchema::Field field);
/// The name of the audit's section that a task kind is.
std::optional<std::string_view> audit_section_of(capnp::StructSchema::Field field);
bool is_convergent(capnp::StructSchema::Field field);

}  // namespace relab::reflect
