package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	yaml "gopkg.in/yaml.v2"
)

// chart is a chart folder as helm loads it: symbolic links are followed.
type chart struct {
	metadata  map[string]interface{}
	values    map[string]interface{}
	templates map[string]string // by path within the chart
	files     files
}

func loadChart(folder string) (*chart, error) {
	loaded := &chart{templates: map[string]string{}, files: files{}}
	if err := loaded.read(folder, ""); err != nil {
		return nil, err
	}

	var err error
	if loaded.metadata, err = decode(loaded.files["Chart.yaml"]); err != nil {
		return nil, fmt.Errorf("Chart.yaml: %w", err)
	}

	if loaded.values, err = decode(loaded.files["values.yaml"]); err != nil {
		return nil, fmt.Errorf("values.yaml: %w", err)
	}

	for _, own := range []string{"Chart.yaml", "values.yaml", "values.schema.json"} {
		delete(loaded.files, own) // helm keeps them from .Files too
	}

	return loaded, nil
}

func (c *chart) read(root, below string) error {
	entries, err := os.ReadDir(filepath.Join(root, below))
	if err != nil {
		return err
	}

	for _, entry := range entries {
		name := path.Join(below, entry.Name())
		full := filepath.Join(root, name)
		info, err := os.Stat(full) // follows links
		if err != nil {
			return err
		}

		if info.IsDir() {
			if err := c.read(root, name); err != nil {
				return err
			}

			continue
		}

		content, err := os.ReadFile(full)
		if err != nil {
			return err
		}

		if strings.HasPrefix(name, "templates/") {
			c.templates[name] = string(content)
		} else {
			c.files[name] = content
		}
	}

	return nil
}

// decode reads YAML the way helm does, through JSON: every number is a float64.
func decode(text []byte) (map[string]interface{}, error) {
	result := map[string]interface{}{}
	value, err := decodeAny(text)
	if err != nil || value == nil {
		return result, err
	}

	result, ok := value.(map[string]interface{})
	if !ok {
		return nil, fmt.Errorf("expected a map, found %T", value)
	}

	return result, nil
}

func decodeAny(text []byte) (interface{}, error) {
	var raw interface{}
	if err := yaml.UnmarshalStrict(text, &raw); err != nil {
		return nil, err
	}

	plain, err := jsonable(raw)
	if err != nil {
		return nil, err
	}

	encoded, err := json.Marshal(plain)
	if err != nil {
		return nil, err
	}

	var value interface{}
	err = json.Unmarshal(encoded, &value)
	return value, err
}

// jsonable turns YAML's maps of anything into maps of strings.
func jsonable(value interface{}) (interface{}, error) {
	switch typed := value.(type) {
	case map[interface{}]interface{}:
		result := map[string]interface{}{}
		for key, inner := range typed {
			var name string
			switch k := key.(type) {
			case string:
				name = k
			case int:
				name = strconv.Itoa(k)
			case bool:
				name = strconv.FormatBool(k)
			default:
				return nil, fmt.Errorf("key %v of a map is a %T", key, key)
			}

			converted, err := jsonable(inner)
			if err != nil {
				return nil, err
			}

			result[name] = converted
		}

		return result, nil
	case []interface{}:
		result := make([]interface{}, len(typed))
		for i, inner := range typed {
			converted, err := jsonable(inner)
			if err != nil {
				return nil, err
			}

			result[i] = converted
		}

		return result, nil
	default:
		return value, nil
	}
}

// mergedValues lays the files over the chart's defaults: maps are merged, all else is replaced, null removes.
func mergedValues(c *chart, valueFiles []string) (map[string]interface{}, error) {
	values := c.values
	for _, file := range valueFiles {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}

		above, err := decode(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}

		overlay(values, above)
	}

	return values, nil
}

func overlay(below, above map[string]interface{}) {
	for key, value := range above {
		if value == nil {
			delete(below, key)
			continue
		}

		upper, isMap := value.(map[string]interface{})
		lower, wasMap := below[key].(map[string]interface{})
		if isMap && wasMap {
			overlay(lower, upper)
		} else {
			below[key] = value
		}
	}
}

// files is .Files of the templates.
type files map[string][]byte

func (f files) Get(name string) string { return string(f[name]) }

func (f files) GetBytes(name string) []byte { return f[name] }

func (f files) Lines(name string) []string {
	return strings.Split(strings.TrimSuffix(string(f[name]), "\n"), "\n")
}

// Glob matches one folder; helm's ** is not needed here and matches nothing.
func (f files) Glob(pattern string) files {
	found := files{}
	for name, content := range f {
		if ok, _ := path.Match(pattern, name); ok {
			found[name] = content
		}
	}

	return found
}

func (f files) AsConfig() string {
	byName := map[string]string{}
	for name, content := range f {
		byName[path.Base(name)] = string(content)
	}

	return toYaml(byName)
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}

	sort.Strings(keys)
	return keys
}
