// What holds for every kind of findings that the schema knows, with values made up for every field.

#include <algorithm>
#include <capnp/dynamic.h>
#include <capnp/message.h>
#include <nlohmann/json.hpp>

#include "common/reflect/notes.h"
#include "controller/report/audit.h"
#include "controller/report/diff.h"
#include "controller/report/render.h"
#include "schema/task.capnp.h"
#include "tests/support/must.h"

namespace relab::controller {

namespace {

using capnp::schema::Type;
using Struct = capnp::DynamicStruct::Builder;

/// Counts up, so that no two values agree; its texts hold a control and a mark to be found again.
class Sampler {
 public:
  explicit Sampler(unsigned first) : next_(first) {}

  void fill(Struct value) {
    for (const auto field : value.getSchema().getNonUnionFields()) set(value, field);
    for (const auto field : value.getSchema().getUnionFields())
      if (!reflect::is_unset(field)) return set(value, field);
  }

 private:
  void set(Struct value, capnp::StructSchema::Field field) {
    const auto type = field.getType();
    if (type.isStruct()) {
      fill(value.init(field).as<capnp::DynamicStruct>());
    } else if (type.isList()) {
      elements(value.init(field, 3).as<capnp::DynamicList>(), type.asList().getElementType());
    } else {
      scalar(type, [&](const capnp::DynamicValue::Reader& one) { value.set(field, one); });
    }
  }

  void elements(capnp::DynamicList::Builder list, capnp::Type type) {
    for (unsigned i = 0; i < list.size(); ++i) {
      if (type.isStruct()) {
        fill(list[i].as<capnp::DynamicStruct>());
      } else {
        scalar(type, [&](const capnp::DynamicValue::Reader& one) { list.set(i, one); });
      }
    }
  }

  template <typename Set>
  void scalar(capnp::Type type, const Set& set) {
    const auto number = ++next_;
    switch (type.which()) {
      case Type::BOOL:
        return set(number % 2 == 0);
      case Type::TEXT:
        return set(capnp::Text::Reader(("sample\x1b|" + std::to_string(number)).c_str()));
      case Type::DATA:
        return set(capnp::Data::Reader(kj::StringPtr("data").asBytes()));
      case Type::ENUM:
        return set(capnp::DynamicEnum(type.asEnum(), static_cast<std::uint16_t>(number % 3)));
      case Type::VOID:
        return set(capnp::VOID);
      default:
        return set(number % 100);
    }
  }

  unsigned next_;
};

/// Findings of one kind with every field filled.
class Sample {
 public:
  Sample(capnp::StructSchema::Field kind, unsigned first) : kind_(kind) {
    auto facts = builder_.initRoot<capnp::DynamicStruct>(capnp::Schema::from<schema::Facts>());
    Sampler(first).fill(facts.init(kind).as<capnp::DynamicStruct>());
  }
  capnp::DynamicStruct::Reader reader() {
    return *findings_of(builder_.getRoot<schema::Facts>().asReader());
  }
  std::string name() const { return kind_.getProto().getName().cStr(); }

 private:
  capnp::StructSchema::Field kind_;
  capnp::MallocMessageBuilder builder_;
};

std::vector<capnp::StructSchema::Field> kinds() {
  return reflect::choices(capnp::Schema::from<schema::Facts>());
}

bool is_harmless(const std::string& text) {
  return std::ranges::none_of(
      text, [](char byte) { return (byte >= 0 && byte < ' ' && byte != '\n') || byte == 0x7F; });
}

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

std::size_t texts_in(capnp::DynamicStruct::Reader facts) {
  return count(kj::str(facts).cStr(), "\"sample");
}

}  // namespace

TEST_CASE("render law: every text of every kind is shown, and none as a control",
          "[controller][report]") {
  for (const auto kind : kinds()) {
    Sample sample(kind, 0);
    INFO(sample.name());
    for (const auto& style : {Style{}, Style{.form = Form::markdown}}) {
      const auto text = render(sample.reader(), style);
      CHECK(is_harmless(text));
      CHECK(count(text, "sample") >= texts_in(sample.reader()));
    }
  }
}

TEST_CASE("render law: every kind can be shown on a terminal of any width",
          "[controller][report]") {
  for (const auto kind : kinds()) {
    Sample sample(kind, 0);
    INFO(sample.name());
    for (const std::size_t width : {1UL, 20UL, 80UL, 200UL}) {
      const auto text = render(sample.reader(), {.width = width});
      CHECK(is_harmless(text));
      CHECK(text.ends_with("\n"));
    }
  }
}

TEST_CASE("diff law: every kind equals itself, and a changed one does not",
          "[controller][report]") {
  for (const auto kind : kinds()) {
    Sample sample(kind, 0);
    Sample other(kind, 1);
    INFO(sample.name());
    CHECK(diff(sample.reader(), sample.reader(), "a", Volatile::shown).empty());
    const auto changes = diff(sample.reader(), other.reader(), "a");
    CHECK_FALSE(changes.empty());
    CHECK(is_harmless(render_changes(changes, {})));
    CHECK(nlohmann::json::parse(changes_json(changes)).size() == changes.size());
  }
}

TEST_CASE("audit law: the JSON of every kind is JSON", "[controller][report]") {
  for (const auto kind : kinds()) {
    Sample sample(kind, 0);
    const auto text = audit_json({{.section = sample.name(),
                                   .agent = "a",
                                   .outcome = "succeeded",
                                   .facts = sample.reader()}});
    INFO(sample.name());
    CHECK(is_harmless(text));
    CHECK(nlohmann::json::parse(text)[sample.name()][0]["facts"].is_object());
  }
}

}  // namespace relab::controller
