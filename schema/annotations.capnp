@0xd1a9c2f0b7e64a11;
# Annotations that carry what a Cap'n Proto type cannot say: help texts, references, units, limits.
# They are read by reflection (common/reflect), so that nothing of this is written twice.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("relab::schema");

annotation doc @0xb5a1d7a4a9b0c101 (struct, field, enum, enumerant, union) :Text;
# Help text for operators, printed by `relab kinds` and put into the JSON Schema of lab.toml.

annotation ref @0xb5a1d7a4a9b0c102 (field) :Text;
# This text (or each text of this list) is the name of an element of that list of the lab ("guests").

annotation key @0xb5a1d7a4a9b0c103 (field) :Void;
# This text names its element; it is required and unique within the list that holds the element.

annotation required @0xb5a1d7a4a9b0c104 (field) :Void;
# lab.toml must give this key.

annotation unit @0xb5a1d7a4a9b0c105 (field) :Text;
# The unit of a number: "seconds" also takes "90s", "15m", "24h", "7d"; "bytes" also takes "500GB", "4GiB".

annotation example @0xb5a1d7a4a9b0c106 (field) :Text;
# A value as it would stand in lab.toml, for documentation.

annotation pattern @0xb5a1d7a4a9b0c107 (field) :Text;
# An anchored ECMAScript regular expression that the text must match.

annotation range @0xb5a1d7a4a9b0c108 (field) :Range;
# The least and greatest number that is accepted, both inclusive.

annotation secret @0xb5a1d7a4a9b0c109 (field) :Void;
# This parameter of a task holds the name of a secret, never its value: `relab secret set NAME` stores that, encrypted, and the
# order brings it sealed to its agent. It is never logged, and never stored in clear.

annotation audit @0xb5a1d7a4a9b0c10a (field) :Text;
# This task kind is a section of the audit with this name; the gate of 0a demands it.

annotation convergent @0xb5a1d7a4a9b0c10b (field) :Void;
# A new attempt of this task kind is safe after an unknown outcome: the controller may order one by itself.

annotation section @0xb5a1d7a4a9b0c10c (field) :Void;
# This text (or each text of this list) is the name of a section of the audit, as given by $audit.

struct Range {
  least @0 :Int64;
  greatest @1 :Int64;
}

annotation limit @0xb5a1d7a4a9b0c10d (field) :Text;
# The role of the agent must permit this value: "paths" or "mounts" (a folder at or above it), "units" or "packages" (by name or
# by its beginning), "pools" (so, too, of a dataset its pool), "vmids" or "commands". What is absent and not required is not limited.
# A name of which paths are made has them after the list, with "*" in its place: "paths /etc/x.d/*.conf".

annotation volatile @0xb5a1d7a4a9b0c10e (field) :Void;
# Changes by itself all the time (counters, temperatures, process numbers, positions in a file): no key, and comparisons of
# facts pass over it unless asked.

annotation destructive @0xb5a1d7a4a9b0c10f (field) :Void;
# This task kind destroys something: it needs a person's approval of exactly this plan against exactly this evidence, and of the
# gate before it only what a person may excuse can be waived.

annotation needs @0xb5a1d7a4a9b0c110 (field) :List(Text);
# Evidence without which this task kind is neither ordered nor begun, whatever the plan says; common/needs tells what each is.

annotation resource @0xb5a1d7a4a9b0c112 (field) :Text;
# This parameter of a task kind that changes something names what it changes, of that class ("disk", "interface"); one that is no text
# stands for all of its class ("dpkg"). Tasks on one
# resource run one after the other, and a change of it that waits to be confirmed holds it.

annotation waits @0xb5a1d7a4a9b0c113 (field) :Void;
# This task kind is a probe that waits until a person has done something: the only ones that a step with an instruction may have.

annotation commitConfirmed @0xb5a1d7a4a9b0c111 (field) :Void;
# A change of this kind may cut the agent off: it is undone unless the controller confirms it over a new connection in time.
