// What tasks name as secrets.

#include "common/reflect/secrets.h"

#include "common/reflect/notes.h"
#include "common/wire/message.h"
#include "tests/support/must.h"

namespace relab::reflect {

namespace {

std::vector<std::string> named_by(const char* task) {
  return secrets_of(must(Message<schema::Task>::from_json(task)).reader());
}

}  // namespace

TEST_CASE("secrets: a task names those of its marked parameters", "[common][reflect]") {
  CHECK(named_by(R"({"zfsKeyCheck": {"dataset": "tank", "key": "tank-key"}})") ==
        std::vector<std::string>{"tank-key"});
}

TEST_CASE("secrets: other parameters, and empty ones, name none", "[common][reflect]") {
  CHECK(named_by(R"({"zfsKeyCheck": {"dataset": "tank"}})").empty());
  CHECK(named_by(R"({"ping": {"echo": "tank-key"}})").empty());
  CHECK(named_by(R"({"ipAddresses": {"interface": "e0", "addresses": ["10.0.0.1/8"]}})").empty());
  CHECK(named_by("{}").empty());
}

TEST_CASE("secrets: what names one is a text of one form, in kinds that nobody has to undo",
          "[common][reflect]") {
  for (const auto kind : choices(capnp::Schema::from<schema::Task>())) {
    const auto arm = notes_of(kind);
    for (const auto field : kind.getType().asStruct().getFields()) {
      if (!notes_of(field).secret) continue;
      INFO(key_of(kind) << "." << key_of(field));
      CHECK(field.getType().isText());
      CHECK(notes_of(field).pattern == "^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$");
      // The way back would need it, too, in another life of the agent.
      CHECK_FALSE(arm.commit_confirmed);
    }
  }
}

}  // namespace relab::reflect
