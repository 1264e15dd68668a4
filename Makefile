SWIFT ?= swift
BUILD := build
RELEASE := -c release --static-swift-stdlib -Xswiftc -static-executable -Xlinker -s

$(BUILD)/runbox: FORCE
	@mkdir -p $(BUILD)
	$(SWIFT) build $(RELEASE) --product runbox
	@cp -f .build/release/runbox $@.new && mv -f $@.new $@

FORCE:
.PHONY: FORCE
