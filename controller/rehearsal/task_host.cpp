#include "controller/rehearsal/task_host.h"

#include "common/wire/dsse.h"

namespace relab::rehearsal {

Result<void> Life::live() {
  if (over()) return fail(Fault::unreachable, "the agent is dead");
  ++calls_;
  if (over()) return fail(Fault::unreachable, "the agent dies");
  return {};
}

Result<void> TaskHost::go_on() {
  RELAB_CHECK(life_.live());
  if (manner_.until && inner().now() >= *manner_.until)
    return fail(Fault::cancelled, "the task is out of time");
  return {};
}

Result<agent::Output> TaskHost::run(const agent::Command& command) {
  RELAB_CHECK(go_on());
  return inner().run(command);
}

namespace {

/// Takes nothing any more once the agent is dead.
class LivingSink final : public agent::Sink {
 public:
  LivingSink(agent::Sink& inner, const Life& life) : inner_(inner), life_(life) {}
  Result<void> take(ByteView piece) override {
    RELAB_CHECK(inner_.take(piece));
    return life_.over() ? fail(Fault::unreachable, "the agent dies") : Result<void>();
  }

 private:
  agent::Sink& inner_;
  const Life& life_;
};

}  // namespace

Result<agent::Output> TaskHost::stream(const agent::Command& command, agent::Sink& sink) {
  RELAB_CHECK(go_on());
  LivingSink living(sink, life_);
  return inner().stream(command, living);
}

Result<agent::Output> TaskHost::feed(const agent::Path& path, const agent::Command& command,
                                     agent::Sink& also) {
  RELAB_CHECK(go_on());
  LivingSink living(also, life_);
  return inner().feed(path, command, living);
}

Result<agent::Piped> TaskHost::pipe(const agent::Command& from, const agent::Command& to,
                                    agent::Sink& also) {
  RELAB_CHECK(go_on());
  LivingSink living(also, life_);
  return inner().pipe(from, to, living);
}

Result<std::unique_ptr<agent::NewFile>> TaskHost::create_file(const agent::Path& path) {
  RELAB_CHECK(go_on());
  return inner().create_file(path);
}

Result<void> TaskHost::put_file(const agent::Path& path, const agent::Content& content,
                                const agent::Rights& rights) {
  RELAB_CHECK(go_on());
  return inner().put_file(path, content, rights);
}

Result<void> TaskHost::put_directory(const agent::Path& path, const agent::Rights& rights) {
  RELAB_CHECK(go_on());
  return inner().put_directory(path, rights);
}

Result<void> TaskHost::remove_file(const agent::Path& path) {
  RELAB_CHECK(go_on());
  return inner().remove_file(path);
}

Result<void> TaskHost::copy_database(const agent::Path& database, const agent::Path& copy) {
  RELAB_CHECK(go_on());
  return inner().copy_database(database, copy);
}

Result<agent::Path> TaskHost::fetch(const agent::Parcel& parcel) {
  RELAB_CHECK(go_on());
  return inner().fetch(parcel);
}

Result<std::string> TaskHost::sign(std::string_view payload_type, std::string_view text) {
  if (manner_.keys == nullptr) return fail(Fault::unsupported, "there is no key to sign with");
  return to_dsse(sign_payload(*manner_.keys, payload_type, bytes_of(text)).reader()).dump() + "\n";
}

Result<void> TaskHost::pause(Millis span, const agent::Waiting& waiting) {
  RELAB_CHECK(go_on());
  manner_.ask(waiting);
  RELAB_CHECK(inner().pause(span, waiting));
  return go_on();
}

}  // namespace relab::rehearsal
