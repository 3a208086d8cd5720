#!/bin/sh
# Sees to it that the machine has what tools/packages.txt lists.
#
#	setup.sh GROUP...	installs what is missing through apt: as root, or with sudo after
#				asking on a terminal. Otherwise prints the one command and stops.
#	setup.sh --doctor	one line for each need; for a fault the command that mends it.
#
# Says everything on standard error and ends with 0, or 2 if something is still missing. Plain sh:
# this is what runs first on a machine that has nothing.

set -u
list=$(dirname "$0")/packages.txt
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
tab=$(printf '\t')

say() { printf '%s\n' "$*" >&2; }

# at_least FOUND NEEDED: compares versions.
at_least() {
	[ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

# version_of PROGRAM: the first number with a dot in what it says of itself.
version_of() {
	{ "$1" --version 2>&1 || "$1" -V 2>&1; } </dev/null |
		grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1
}

# look NEEDS VERSION: is one of the alternatives there? Sets `found` to what was seen.
look() {
	found=
	for need in $(echo "$1" | tr '|' ' '); do
		case $need in
		python:*)
			"$(python_path)" -c "import ${need#python:}" 2>/dev/null || continue
			found="Python module ${need#python:}"
			return 0 ;;
		*/bin/python*)
			[ -x "$need" ] || continue ;;
		/*)
			[ -e "$need" ] || continue
			found=${need##*/}
			return 0 ;;
		*)
			command -v "$need" >/dev/null || continue ;;
		esac
		found=$(version_of "$need")
		[ "$2" = - ] || at_least "${found:-0}" "$2" || continue
		found="${need##*/} $found"
		return 0
	done
	return 1
}

python_path() {
	for path in /usr/bin/python3 /usr/bin/python3.12 /usr/bin/python3.11; do
		[ -x $path ] && at_least "$(version_of $path)" 3.11 && echo $path && return
	done
}

# choose PACKAGES: the first alternative that apt knows and that is not installed yet.
choose() {
	for package in $(echo "$1" | tr '|' ' '); do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' && continue
		[ -n "$(apt-cache show --no-all-versions "$package" 2>/dev/null)" ] || continue
		echo "$package"
		return
	done
	echo "$1" | sed 's/.*|//'
}

# packages_for GROUPS: packages for what is missing, on one line.
packages_for() {
	while IFS=$tab read -r group needs version packages _; do
		case " $1 " in *" $group "*) ;; *) continue ;; esac
		look "$needs" "$version" || choose "$packages"
	done <"$list" | sort -u | tr '\n' ' ' | sed 's/ $//'
}

install_command() { echo "apt-get install -y --no-install-recommends $*"; }

# whole_command PACKAGES: for a person, on a machine whose apt may know of no package yet.
whole_command() {
	whole="apt-get update && $(install_command "$*")"
	[ "$(id -u)" -eq 0 ] || whole="sudo sh -c '$whole'"
	echo "$whole"
}

doctor() {
	bad=0
	while IFS=$tab read -r group needs version packages purpose; do
		case $group in base | test) ;; *) continue ;; esac
		wanted=$purpose
		[ "$version" = - ] || wanted="$purpose, $version or newer"
		if look "$needs" "$version"; then
			printf 'ok       %-44s %s\n' "$found" "($wanted)"
			continue
		fi
		bad=$((bad + 1))
		name=${needs%%|*}
		printf 'MISSING  %-44s %s\n' "$name${found:+ is $found}" "($wanted)"
		printf '         mend it with: %s\n' "$(whole_command "$(choose "$packages")")"
	done <"$list"
	[ $bad -eq 0 ] || { say "doctor: $bad missing; make setup installs them all"; return 2; }
	say "doctor: all is there"
}

install() {
	missing=$(packages_for "$*")
	[ -n "$missing" ] || return 0
	if ! command -v apt-get >/dev/null; then
		say "setup: these Debian packages, or what they hold, are missing: $missing"
		return 2
	fi
	sudo=
	if [ "$(id -u)" -ne 0 ]; then
		if [ ! -t 0 ] || [ ! -t 2 ] || ! command -v sudo >/dev/null; then
			say "setup: packages are missing. Install them with this, then try again:"
			say "$(whole_command "$missing")"
			return 2
		fi
		printf 'setup: install with sudo: %s? [y/N] ' "$missing" >&2
		read -r answer
		case $answer in [yY]*) sudo=sudo ;; *) say "setup: nothing installed"; return 2 ;; esac
	fi
	say "setup: installing what is missing; this takes a few minutes, once"
	$sudo apt-get update -q >&2 || say "setup: apt-get update failed; trying with what apt knows"
	# Only now does apt know every name, so choose again.
	missing=$(packages_for "$*")
	# shellcheck disable=SC2046,SC2086 # words on purpose
	$sudo env DEBIAN_FRONTEND=noninteractive $(install_command $missing) -q \
		-o DPkg::Lock::Timeout=600 >&2 ||
		{ say "setup: apt could not install: $missing"; return 2; }
	missing=$(packages_for "$*")
	[ -z "$missing" ] && return
	say "setup: installed, but still missing or too old: $missing (make doctor tells more;" \
		"Debian 12 or Ubuntu 24.04 or newer has all)"
	return 2
}

case ${1-} in
--doctor) doctor ;;
--python) python_path ;;
'') say "usage: setup.sh GROUP... | --doctor"; exit 2 ;;
*) install "$@" ;;
esac
