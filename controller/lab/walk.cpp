#include "controller/lab/walk.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

namespace relab::lab {

namespace {

// A list longer than this is no lab's; small elements would grow to many times the file's size.
constexpr std::size_t elements_max = 4096;

std::string join(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

/// The fields that a file can give: all but a union's "unset".
std::vector<capnp::StructSchema::Field> fields_of(capnp::StructSchema schema) {
  auto fields = reflect::choices(schema);
  for (const auto field : schema.getNonUnionFields()) fields.push_back(field);
  return fields;
}

std::vector<std::string> keys_of(const std::vector<capnp::StructSchema::Field>& fields) {
  std::vector<std::string> keys;
  for (const auto field : fields) keys.push_back(reflect::key_of(field));
  return keys;
}

const Entry* find(const Table& table, std::string_view key) {
  const auto found = std::ranges::find(table, key, &Entry::key);
  return found == table.end() ? nullptr : &*found;
}

/// The value of the field that names an element; nothing if there is no such text.
const std::string* name_of(const Node& element, capnp::StructSchema schema) {
  if (element.table() == nullptr) return nullptr;
  for (const auto field : schema.getFields()) {
    if (!reflect::notes_of(field).key) continue;
    const auto* entry = find(*element.table(), reflect::key_of(field));
    return entry == nullptr ? nullptr : entry->value.text();
  }
  return nullptr;
}

bool is_plain(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '-' ||
           letter == '_' || letter == '.';
  });
}

}  // namespace

void Walk::fill_struct(const Table& table, capnp::DynamicStruct::Builder message,
                       const std::string& path, Position at) {
  for (const auto& entry : table) fill_entry(entry, message, path);
  check_union(table, message.getSchema(), path, at);
  check_required(table, message.getSchema(), path, at);
}

void Walk::fill_entry(const Entry& entry, capnp::DynamicStruct::Builder message,
                      const std::string& path) {
  const auto fields = fields_of(message.getSchema());
  const auto found = std::ranges::find_if(
      fields, [&](Field field) { return reflect::key_of(field) == entry.key; });
  if (found == fields.end()) {
    findings_.report_at(entry.at, path, fmt::format("unknown key {}", in_quotes(entry.key)),
                        suggestion(entry.key, keys_of(fields)));
    return;
  }
  const auto own = join(path, entry.key);
  findings_.place(own, entry.value.at);
  fill_field(entry.value, *found, message, own);
}

void Walk::fill_field(const Node& node, Field field, capnp::DynamicStruct::Builder message,
                      const std::string& path) {
  const auto notes = reflect::notes_of(field);
  const Slot slot{.type = field.getType(), .notes = notes, .path = path};
  if (slot.type.isList()) return fill_list(node, slot, field, message);
  if (slot.type.isStruct()) {
    const auto* table = node.table();
    if (table == nullptr) return wrong_type(node, path, "a table");
    return fill_struct(*table, message.init(field).as<capnp::DynamicStruct>(), path, node.at);
  }
  KJ_IF_MAYBE (value, scalar(node, slot)) message.set(field, *value);
}

void Walk::fill_list(const Node& node, const Slot& slot, Field field,
                     capnp::DynamicStruct::Builder message) {
  const auto* array = node.array();
  if (array == nullptr)
    return wrong_type(
        node, slot.path, "a list",
        node.table() == nullptr ? "write it in [ ]" : fmt::format("write [[{}]]", slot.path));
  if (array->size() > elements_max)
    return findings_.report(slot.path, fmt::format("a list of {} elements", array->size()),
                            fmt::format("at most {} are accepted", elements_max));
  if (array->empty() && slot.notes.required)
    findings_.report(slot.path, "the list is empty", "it needs one element or more");
  const auto size = static_cast<unsigned>(array->size());
  auto list = message.init(field, size).as<capnp::DynamicList>();
  if (slot.type.asList().getElementType().isStruct()) return fill_structs(*array, slot, list);
  fill_elements(*array, slot, list);
}

void Walk::fill_elements(const Array& array, const Slot& slot, capnp::DynamicList::Builder list) {
  std::set<std::string_view> seen;
  for (unsigned i = 0; i < list.size(); ++i) {
    const auto path = fmt::format("{}[{}]", slot.path, i);
    findings_.place(path, array[i].at);
    findings_.element(slot.path, path);
    const Slot own{.type = slot.type.asList().getElementType(), .notes = slot.notes, .path = path};
    KJ_IF_MAYBE (value, scalar(array[i], own)) list.set(i, *value);
    if (const auto* text = array[i].text(); text != nullptr && !seen.insert(*text).second)
      findings_.report(path, fmt::format("{} is listed twice", in_quotes(*text)));
  }
}

void Walk::fill_structs(const Array& array, const Slot& slot, capnp::DynamicList::Builder list) {
  Names names;
  for (unsigned i = 0; i < list.size(); ++i) {
    auto element = list[i].as<capnp::DynamicStruct>();
    const auto path = element_path(array[i], element.getSchema(), slot.path, names);
    findings_.element(slot.path, path);
    findings_.place(path, array[i].at);
    if (const auto* table = array[i].table()) {
      fill_struct(*table, element, path, array[i].at);
    } else {
      wrong_type(array[i], path, "a table");
    }
  }
}

std::string Walk::element_path(const Node& node, capnp::StructSchema schema,
                               const std::string& list, Names& names) {
  auto indexed = fmt::format("{}[{}]", list, names.elements++);
  const auto* name = name_of(node, schema);
  if (name == nullptr || name->empty()) return indexed;
  const auto [known, is_new] = names.first.emplace(*name, node.at);
  if (is_new) return is_plain(*name) ? join(list, *name) : indexed;
  findings_.report_at(node.at, indexed,
                      fmt::format("the name {} is taken by the element in line {}",
                                  in_quotes(*name), known->second.line),
                      "names are unique within a list");
  return indexed;
}

void Walk::check_union(const Table& table, capnp::StructSchema schema, const std::string& path,
                       Position at) {
  const auto keys = keys_of(reflect::choices(schema));
  if (keys.empty()) return;
  const auto all = keys_of(fields_of(schema));
  std::vector<std::string> given;
  auto misspelt = false;
  for (const auto& entry : table) {
    if (std::ranges::find(keys, entry.key) != keys.end()) given.push_back(entry.key);
    if (std::ranges::find(all, entry.key) == all.end()) misspelt = true;
  }
  if (given.size() > 1)
    findings_.report_at(at, path, fmt::format("{} exclude each other", fmt::join(given, " and ")),
                        "give exactly one of them");
  // Something misspelt has been reported as an unknown key.
  if (given.empty() && !misspelt && keys.size() < schema.getUnionFields().size())
    findings_.report_at(at, path, "exactly one key is expected here",
                        fmt::format("one of {}", fmt::join(keys, ", ")));
}

void Walk::check_required(const Table& table, capnp::StructSchema schema, const std::string& path,
                          Position at) {
  for (const auto field : schema.getFields()) {
    const auto notes = reflect::notes_of(field);
    const auto key = reflect::key_of(field);
    if (!notes.required || find(table, key) != nullptr) continue;
    findings_.report_at(
        at, path, fmt::format("the key '{}' is missing", key),
        notes.example.empty() ? "" : fmt::format("for example: {} = {}", key, notes.example));
  }
}

void Walk::wrong_type(const Node& node, const std::string& path, const std::string& expected,
                      std::string hint) {
  findings_.report(path, fmt::format("expected {}, found {}", expected, kind_of(node)),
                   std::move(hint));
}

}  // namespace relab::lab
