# runbox: `make demo` shows it, `make test` proves it, `make check` keeps it in order, `make bench` measures it.

SWIFT ?= swift
BUILD := build
RUNBOX := $(CURDIR)/$(BUILD)/runbox
RELEASE := -c release --static-swift-stdlib -Xswiftc -static-executable
EXAMPLE := $(CURDIR)/.build/examples/debug/HelloContainer
EMBEDDED ?= yes
PREFIX ?= /usr/local
DESTDIR ?=
DEB_MAINTAINER ?=
FAULTS ?=
BENCH ?=
FUZZ_SECONDS ?= 10
FUZZ_SEED ?= 1

# What is needed to build, and what the tests and the comparison need beyond that.
BUILD_PACKAGES := libseccomp-dev libcap-dev pkg-config gcc libc6-dev binutils
DEMO_PACKAGES := busybox-static util-linux
TEST_PACKAGES := $(DEMO_PACKAGES) python3 mmdebstrap crun runc iproute2 jq strace man-db mandoc zsh fish
VM_PACKAGES := qemu-system-x86 mmdebstrap squashfs-tools cpio util-linux

.PHONY: all build order example demo test test-vm attack faults check bench bench-engines engines services compare fuzz format install uninstall deb package clean need-swift need-build need-demo need-test need-vm
all: build

# --- what is missing -------------------------------------------------------------------------------------------------

need-swift:
	@config/need-swift.sh $(SWIFT)

need-build: need-swift
	@config/need-packages.sh $(BUILD_PACKAGES)

need-demo: need-build
	@config/need-packages.sh $(DEMO_PACKAGES)

need-test: need-build
	@config/need-packages.sh $(TEST_PACKAGES)

need-vm: need-build
	@config/need-packages.sh $(VM_PACKAGES)

# --- build -----------------------------------------------------------------------------------------------------------

# EMBEDDED=no builds ordinary Swift.
build: need-build
	config/build-executable.sh $(SWIFT) $(RUNBOX) $(EMBEDDED)

# The order of functions for the linker, from what containers are started with: docs/performance.md.
order: need-demo build
	python3 Tests/Bench/order.py --runbox .build/embedded/release/runbox

$(BUILD)/probe: Tests/Probe/probe.c
	@mkdir -p $(BUILD)
	$(CC) -O2 -static -Wall -Werror -o $@ $<

$(BUILD)/hello: Tests/Demo/hello.c
	@mkdir -p $(BUILD)
	$(CC) -O2 -static -Wall -Wextra -Werror -o $@ $<

$(BUILD)/attacker: Tests/Attacks/attacker.c
	@mkdir -p $(BUILD)
	$(CC) -O2 -static -Wall -Wextra -Werror -o $@ $<

$(BUILD)/stopwatch: Tests/Engines/stopwatch.c
	@mkdir -p $(BUILD)
	$(CC) -O2 -static -Wall -Wextra -Werror -o $@ $<

$(BUILD)/counter: Tests/Checkpoint/counter.c
	@mkdir -p $(BUILD)
	$(CC) -O2 -static -Wall -Wextra -Werror -o $@ $<

$(BUILD)/faults/inject: Tests/Faults/inject.c
	@mkdir -p $(BUILD)/faults
	$(CC) -O2 -static -Wall -Wextra -Werror -o $@ $< -lseccomp

$(BUILD)/faults/payload: Tests/Faults/payload.c
	@mkdir -p $(BUILD)/faults
	$(CC) -O2 -static -Wall -Wextra -Werror -o $@ $<

# --- show, prove, measure --------------------------------------------------------------------------------------------

demo: need-demo build $(BUILD)/hello
	RUNBOX=$(RUNBOX) HELLO=$(BUILD)/hello Tests/Demo/demo.sh

# The public library as another package sees it; no part of the static executable, so with the usual settings.
example: need-build
	$(SWIFT) build --package-path Examples/HelloContainer --scratch-path .build/examples

test: need-test build example $(BUILD)/probe $(BUILD)/attacker
	$(SWIFT) test --skip '^RuntimeTests'
	Tests/Traps/traps.sh $(SWIFT) $(BUILD)/traps $(EMBEDDED)
	@# By themselves: programs that other tests start at the same moment would hold files open that these are about to execute.
	RUNBOX=$(RUNBOX) RUNBOX_PROBE=$(CURDIR)/$(BUILD)/probe RUNBOX_EXAMPLE=$(EXAMPLE) $(SWIFT) test --filter '^RuntimeTests'
	RUNBOX=$(RUNBOX) Tests/Services/services.sh
	RUNBOX=$(RUNBOX) Tests/Services/guide.sh
	RUNBOX=$(RUNBOX) Tests/Package/package.sh
	RUNBOX=$(RUNBOX) python3 Tests/Compare/fifty.py --probe $(BUILD)/probe
	RUNBOX=$(RUNBOX) PYTHONDONTWRITEBYTECODE=1 python3 Tests/Attacks/attacks.py --attacker $(BUILD)/attacker
	@Tests/VM/lacking.sh

# What this host cannot show, in virtual machines that can: Tests/VM.
test-vm: need-vm build $(BUILD)/probe $(BUILD)/attacker $(BUILD)/counter
	$(SWIFT) build --build-tests
	RUNBOX=$(RUNBOX) RUNBOX_PROBE=$(CURDIR)/$(BUILD)/probe Tests/VM/test-vm.sh $(VM_MODES)

# Every case of every engine beside runc, in rooms of this host (no emulation, and only the controllers that this host
# has); VM_SUITE=trixie for newer engines. `make test-vm VM_MODES=engines VM_JOBS=2` shows in machines what needs a whole
# kernel; Tests/Engines/table.py .build/engines/*.json writes docs/engines.md.
engines: need-vm build $(BUILD)/probe
	$(SWIFT) build --build-tests
	VM_ROOM=1 RUNBOX=$(RUNBOX) RUNBOX_PROBE=$(CURDIR)/$(BUILD)/probe Tests/VM/test-vm.sh $(or $(VM_MODES),engines)

# All attacks, each race 1000 tries or 60 seconds long; `make test` has the short form. ATTACK_RUNTIME=/usr/sbin/runc
# compares.
attack: need-test build $(BUILD)/attacker
	PYTHONDONTWRITEBYTECODE=1 python3 Tests/Attacks/attacks.py --long --attacker $(BUILD)/attacker --runtime $(or $(ATTACK_RUNTIME),$(RUNBOX))

# Each system call of each command fails in turn: half an hour or more. FAULTS='--sample 60 --seed 7' takes so many
# points of each command (a few minutes); FAULTS='--only run,exec' some of them.
faults: need-test build $(BUILD)/faults/inject $(BUILD)/faults/payload
	RUNBOX=$(RUNBOX) PYTHONDONTWRITEBYTECODE=1 python3 Tests/Faults/faults.py --tools $(CURDIR)/$(BUILD)/faults --report $(BUILD)/faults/report.json $(FAULTS)

# The Debian package: made, and in a Debian of its own installed, used, updated and removed.
package: need-test build
	RUNBOX=$(RUNBOX) Tests/Package/package.sh

services: need-test build
	RUNBOX=$(RUNBOX) Tests/Services/services.sh
	RUNBOX=$(RUNBOX) Tests/Services/guide.sh

# Writes the table of differences from crun and runc anew.
compare: need-test build $(BUILD)/probe
	RUNBOX=$(RUNBOX) python3 Tests/Compare/fifty.py --probe $(BUILD)/probe --write

# BENCH='--quick --only exec,life'; BENCH='--json' writes what BENCH='--baseline FILE' compares with.
bench: need-test build
	RUNBOX=$(RUNBOX) Tests/Bench/bench.py $(BENCH)

# Docker, Podman and containerd with each runtime in turn, ROUNDS times, in namespaces of this host; prints the table of
# docs/engines.md.
bench-engines: need-test need-vm build $(BUILD)/stopwatch
	Tests/VM/image.sh .build/vm
	VM_IMAGE=.build/vm Tests/VM/room-run --mode root --timeout 1800 --share $(CURDIR) -- \
	  env RUNBOX=$(RUNBOX) PYTHONDONTWRITEBYTECODE=1 python3 Tests/Engines/speed.py $(CURDIR)/$(BUILD)/stopwatch $(ROUNDS)

# --- keep in order ---------------------------------------------------------------------------------------------------

# Warnings are errors in every build (Package.swift), so building is a check, too.
check: need-build
	$(SWIFT) format lint --strict --recursive --configuration config/swift-format.json Package.swift Sources Tests Examples
	config/check-sources.sh
	config/error-catalogue.py
	config/make-seccomp-profile.py --check
	config/check-release.sh
	config/check-drop-ins.py
	$(SWIFT) build --explicit-target-dependency-import-check error
	$(MAKE) build
	config/check-folders.py
	config/check-coverage.py .build/debug/runbox
	$(MAKE) fuzz

# Feeds mutated documents to what reads untrusted text, and random configurations to what plans containers of them. A
# crash is replayed by `runbox-fuzz reader --seed N --count 1`.
fuzz: need-build
	$(SWIFT) build $(RELEASE) --product runbox-fuzz
	.build/release/runbox-fuzz reader --seconds $(FUZZ_SECONDS) --seed $(FUZZ_SEED)
	.build/release/runbox-fuzz plan --seconds $(FUZZ_SECONDS) --seed $(FUZZ_SEED)
	.build/release/runbox-fuzz message --seconds $(FUZZ_SECONDS) --seed $(FUZZ_SEED)

format:
	$(SWIFT) format --in-place --recursive --configuration config/swift-format.json Package.swift Sources Tests Examples

# PREFIX is where things will be found, DESTDIR what is / for now. Packages say PREFIX=/usr.
install: build
	PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' config/install.sh install $(RUNBOX)

uninstall:
	PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' config/install.sh uninstall

# build/runbox_VERSION_ARCHITECTURE.deb; DEB_MAINTAINER='Name <address>' says who has made it.
deb: build
	DEB_MAINTAINER='$(DEB_MAINTAINER)' config/make-deb.sh $(RUNBOX) $(BUILD)

clean:
	rm -rf .build $(BUILD)
