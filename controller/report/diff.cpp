#include "controller/report/diff.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "common/reflect/notes.h"
#include "controller/report/fields.h"
#include "controller/report/key.h"
#include "controller/report/value.h"
#include "controller/report/words.h"

namespace relab::controller {

namespace {

using Path = std::vector<std::string>;
using Field = capnp::StructSchema::Field;
using Struct = capnp::DynamicStruct::Reader;

Path below(Path path, std::string name) {
  path.push_back(std::move(name));
  return path;
}

std::string name_of(Field field) { return human_name(field.getProto().getName().cStr()); }

std::string said(const Shown& shown) { return shown.blank ? "(none)" : shown.text; }

/// Everything that a row tells, in a line.
std::string summary(Struct row) {
  std::string text;
  const auto contents = flattened(row);
  for (const auto& [name, shown] : contents.scalars)
    if (!shown.blank) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, shown.text);
  for (const auto& list : contents.lists)
    if (list.rows.size() > 0)
      text += fmt::format("{}{}", text.empty() ? "" : ", ", counted(list.rows.size(), list.name));
  return text;
}

std::string raw(const capnp::DynamicValue::Reader& value) { return kj::str(value).cStr(); }

/// All that a row holds but what changes by itself.
std::string fingerprint(Struct row) {
  std::string text;
  for (const auto field : fields_of(row)) {
    if (reflect::notes_of(field).is_volatile) continue;
    text += fmt::format("{}:", field.getIndex());
    const auto value = row.get(field);
    if (field.getType().isStruct()) {
      text += fmt::format("({})", fingerprint(value.as<capnp::DynamicStruct>()));
    } else if (is_list_of_structs(field.getType())) {
      for (const auto& inner : rows_of(value.as<capnp::DynamicList>()))
        text += fmt::format("({})", fingerprint(inner));
    } else {
      text += raw(value) + ";";
    }
  }
  return text;
}

std::string exact_key(const Key& key, Struct row) {
  std::string text;
  for (const auto field : key) text += raw(row.get(field)) + ";";
  return text;
}

/// Where each row is, by a text about it; equal rows in a line.
using Index = std::map<std::string, std::vector<std::size_t>>;

template <typename TextOf>
Index index_of(const Rows& rows, const TextOf& text_of) {
  Index index;
  // From the end, so that the first of equal rows is taken first.
  for (auto i = rows.size(); i-- > 0;) index[text_of(rows[i])].push_back(i);
  return index;
}

std::vector<std::string> texts_of(capnp::DynamicList::Reader list, Field field) {
  std::vector<std::string> texts;
  for (const auto element : list) texts.push_back(show(element, field, Precision::exact).text);
  return texts;
}

class Comparison {
 public:
  explicit Comparison(Volatile fields) : fields_(fields) {}

  void structs(Struct before, Struct after, const Path& path, bool is_volatile);
  std::vector<Change> finish() && { return std::move(changes_); }

 private:
  using Kind = Change::Kind;

  void field(Struct before, Struct after, Field field, const Path& path, bool is_volatile);
  void scalar(Struct before, Struct after, Field field, const Path& path, bool is_volatile);
  void texts(Struct before, Struct after, Field field, const Path& path, bool is_volatile);
  void rows(const Rows& before, const Rows& after, const Path& path, bool is_volatile);
  void added(const Path& path, std::string after, bool is_volatile) {
    changes_.push_back({Kind::added, path, {}, std::move(after), is_volatile});
  }
  void removed(const Path& path, std::string before, bool is_volatile) {
    changes_.push_back({Kind::removed, path, std::move(before), {}, is_volatile});
  }

  Volatile fields_;
  std::vector<Change> changes_;
};

void Comparison::structs(Struct before, Struct after, const Path& path, bool is_volatile) {
  const auto of_before = fields_of(before);
  const auto of_after = fields_of(after);
  const auto in = [](const std::vector<Field>& fields, Field one) {
    return std::ranges::find(fields, one) != fields.end();
  };
  for (const auto one : before.getSchema().getFields()) {
    const auto hidden = reflect::notes_of(one).is_volatile;
    if (hidden && fields_ == Volatile::hidden) continue;
    const auto own = below(path, name_of(one));
    const auto was = in(of_before, one);
    const auto is = in(of_after, one);
    if (was && is) {
      field(before, after, one, own, is_volatile || hidden);
    } else if (was) {
      removed(own, show(before, one).text, is_volatile || hidden);
    } else if (is) {
      added(own, show(after, one).text, is_volatile || hidden);
    }
  }
}

void Comparison::field(Struct before, Struct after, Field field, const Path& path,
                       bool is_volatile) {
  const auto type = field.getType();
  if (type.isStruct()) {
    structs(before.get(field).as<capnp::DynamicStruct>(),
            after.get(field).as<capnp::DynamicStruct>(), path, is_volatile);
  } else if (is_list_of_structs(type)) {
    rows(rows_of(before.get(field).as<capnp::DynamicList>()),
         rows_of(after.get(field).as<capnp::DynamicList>()), path, is_volatile);
  } else if (type.isList()) {
    texts(before, after, field, path, is_volatile);
  } else {
    scalar(before, after, field, path, is_volatile);
  }
}

void Comparison::scalar(Struct before, Struct after, Field field, const Path& path,
                        bool is_volatile) {
  if (raw(before.get(field)) == raw(after.get(field))) return;
  auto was = show(before, field);
  auto is = show(after, field);
  if (was.text == is.text) {
    was = show(before, field, Precision::exact);
    is = show(after, field, Precision::exact);
  }
  changes_.push_back(
      {Kind::changed, path, said(was), was.text == is.text ? "(another)" : said(is), is_volatile});
}

void Comparison::texts(Struct before, Struct after, Field field, const Path& path,
                       bool is_volatile) {
  if (raw(before.get(field)) == raw(after.get(field))) return;
  auto gone = texts_of(before.get(field).as<capnp::DynamicList>(), field);
  auto fresh = texts_of(after.get(field).as<capnp::DynamicList>(), field);
  for (auto text = gone.begin(); text != gone.end();) {
    const auto same = std::ranges::find(fresh, *text);
    if (same == fresh.end()) {
      ++text;
    } else {
      fresh.erase(same);
      text = gone.erase(text);
    }
  }
  if (gone.empty() && fresh.empty()) {
    // The same texts in another order.
    changes_.push_back(
        {Kind::changed, path, said(show(before, field)), said(show(after, field)), is_volatile});
  }
  for (auto& text : gone) removed(path, std::move(text), is_volatile);
  for (auto& text : fresh) added(path, std::move(text), is_volatile);
}

void Comparison::rows(const Rows& before, const Rows& after, const Path& path, bool is_volatile) {
  const auto key = identity_of({before, after});
  const auto label = label_of({before, after});
  const auto text_of = [&key](Struct row) {
    return key.empty() ? fingerprint(row) : exact_key(key, row);
  };
  const auto place_of = [&label, &path](Struct row) {
    const auto title = value_of(label, row);
    return title.empty() ? path : below(path, title);
  };
  auto index = index_of(after, text_of);
  std::vector<bool> matched(after.size());
  for (const auto& row : before) {
    auto& same = index[text_of(row)];
    if (same.empty()) {
      removed(place_of(row), summary(row), is_volatile);
      continue;
    }
    structs(row, after[same.back()], place_of(row), is_volatile);
    matched[same.back()] = true;
    same.pop_back();
  }
  for (std::size_t i = 0; i < after.size(); ++i)
    if (!matched[i]) added(place_of(after[i]), summary(after[i]), is_volatile);
}

}  // namespace

std::vector<Change> diff(Struct before, Struct after, const std::string& root, Volatile fields) {
  const auto name = [](Struct facts) {
    return std::string(facts.getSchema().getShortDisplayName().cStr());
  };
  if (before.getSchema() != after.getSchema())
    return {{Change::Kind::changed, {root}, name(before), name(after), false}};
  Comparison comparison(fields);
  comparison.structs(before, after, {root}, false);
  return std::move(comparison).finish();
}

}  // namespace relab::controller
