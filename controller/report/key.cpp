#include "controller/report/key.h"

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <string_view>

#include "common/reflect/notes.h"
#include "controller/report/value.h"

namespace relab::controller {

namespace {

/// Identifiers that outlive renaming.
constexpr std::array lasting = {std::string_view{"guid"}, std::string_view{"uuid"},
                                std::string_view{"serial"}, std::string_view{"publicKey"}};

/// What things are called, from the name to what merely narrows it down.
constexpr std::array called = {
    std::string_view{"vmid"},      std::string_view{"id"},        std::string_view{"name"},
    std::string_view{"path"},      std::string_view{"key"},       std::string_view{"unit"},
    std::string_view{"part"},      std::string_view{"release"},   std::string_view{"app"},
    std::string_view{"object"},    std::string_view{"address"},   std::string_view{"port"},
    std::string_view{"protocol"},  std::string_view{"container"}, std::string_view{"destination"},
    std::string_view{"interface"}, std::string_view{"pool"},      std::string_view{"disk"},
    std::string_view{"device"},    std::string_view{"function"},  std::string_view{"inside"},
    std::string_view{"family"},    std::string_view{"table"},     std::string_view{"chain"},
    std::string_view{"file"},      std::string_view{"source"},    std::string_view{"status"},
    std::string_view{"place"},     std::string_view{"purpose"},   std::string_view{"kind"},
    std::string_view{"role"},      std::string_view{"folder"},    std::string_view{"first"}};

using Names = std::vector<std::string_view>;

Names identity_names() {
  Names names(lasting.begin(), lasting.end());
  names.insert(names.end(), called.begin(), called.end());
  return names;
}

Names label_names() {
  // A guest's name says more than its number, and is told apart by it where it must be.
  Names names;
  names.reserve(1 + called.size() + lasting.size());
  names.emplace_back("name");
  names.insert(names.end(), called.begin(), called.end());
  names.insert(names.end(), lasting.begin(), lasting.end());
  return names;
}

bool may_be_key(capnp::StructSchema::Field field) {
  const auto type = field.getType();
  return !type.isStruct() && !type.isList() && !reflect::notes_of(field).is_volatile;
}

Key candidates(capnp::StructSchema schema, const Names& names) {
  Key key;
  const auto add = [&key](capnp::StructSchema::Field field) {
    if (may_be_key(field) && std::ranges::find(key, field) == key.end()) key.push_back(field);
  };
  for (const auto field : schema.getNonUnionFields())
    if (reflect::notes_of(field).key) add(field);
  for (const auto name : names)
    for (const auto field : schema.getNonUnionFields())
      if (name == field.getProto().getName().cStr()) add(field);
  return key;
}

bool told_everywhere(capnp::StructSchema::Field field, const std::vector<Rows>& lists) {
  return std::ranges::all_of(lists, [field](const Rows& rows) {
    return std::ranges::all_of(rows, [field](capnp::DynamicStruct::Reader row) {
      const auto shown = show(row, field, Precision::exact);
      // A number 0 is how a GUID or a PID says that it is not known.
      return !shown.blank && !(shown.number && shown.text == "0");
    });
  });
}

std::vector<std::string> values_of(const Key& key, capnp::DynamicStruct::Reader row) {
  std::vector<std::string> values;
  for (const auto field : key) values.push_back(show(row, field, Precision::exact).text);
  return values;
}

bool tells_apart(const Key& key, const std::vector<Rows>& lists) {
  return std::ranges::all_of(lists, [&key](const Rows& rows) {
    std::set<std::vector<std::string>> seen;
    return std::ranges::all_of(rows, [&key, &seen](capnp::DynamicStruct::Reader row) {
      return seen.insert(values_of(key, row)).second;
    });
  });
}

/// Without the fields that are not needed, the last first.
Key smallest(Key key, const std::vector<Rows>& lists) {
  for (auto i = key.size(); i-- > 0;) {
    auto fewer = key;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    if (!fewer.empty() && tells_apart(fewer, lists)) key = std::move(fewer);
  }
  std::ranges::sort(key, {}, [](capnp::StructSchema::Field field) { return field.getIndex(); });
  return key;
}

Key choose(const std::vector<Rows>& lists, const Names& names) {
  const auto some = std::ranges::find_if(lists, [](const Rows& rows) { return !rows.empty(); });
  if (some == lists.end()) return {};
  const auto all = candidates(some->front().getSchema(), names);
  for (const auto field : all)
    if (told_everywhere(field, lists) && tells_apart({field}, lists)) return {field};
  Key key;
  for (const auto field : all) {
    key.push_back(field);
    if (tells_apart(key, lists)) return smallest(std::move(key), lists);
  }
  return {};
}

}  // namespace

Rows rows_of(capnp::DynamicList::Reader list) {
  Rows rows;
  for (const auto row : list) rows.push_back(row.as<capnp::DynamicStruct>());
  return rows;
}

Key identity_of(const std::vector<Rows>& lists) { return choose(lists, identity_names()); }

Key label_of(const std::vector<Rows>& lists) { return choose(lists, label_names()); }

std::string value_of(const Key& key, capnp::DynamicStruct::Reader row) {
  std::string joined;
  for (const auto field : key) {
    const auto shown = show(row, field);
    if (!shown.blank) joined += (joined.empty() ? "" : " ") + shown.text;
  }
  return joined;
}

}  // namespace relab::controller
