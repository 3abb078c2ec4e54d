{{/*
appsettings.Production.json of a component: what the values say of Redis, PostgreSQL and ports, over `settings`. No secret is in it;
secrets are variables, which win over the file.
*/}}
{{- define "maintenance.settingsFile" -}}
{{- $own := dict
      "Management" (include "maintenance.managementSettings" . | fromYaml)
      "Logging" (dict "Console" (dict "FormatterName" .values.logFormat))
      "Storage" (dict "Redis" (include "maintenance.redisSettings" . | fromYaml)) }}
{{- if hasPrefix "worker" .component }}
{{- $jobs := dict }}
{{- range $job, $cron := .values.cronJobs }}
{{- if $cron.enabled }}
{{- $_ := set $jobs (include "maintenance.jobSection" $job) (dict "Enabled" false) }}
{{- end }}
{{- end }}
{{- with $jobs }}
{{- $_ := set $own "Jobs" . }}
{{- end }}
{{- end }}
{{- if hasPrefix "worker" .component }}
{{- with .root.Values.monitoring.prometheusRule.runbooksUrl }}
{{- if not (hasKey (default (dict) $.values.settings.Alerting) "RunbooksUrl") }}
{{- $_ := set $own "Alerting" (dict "RunbooksUrl" .) }}
{{- end }}
{{- end }}
{{- end }}
{{- if eq .component "web-host" }}
{{- $_ := set $own "Api" (dict "Port" (int .values.containerPorts.http) "Address" "*") }}
{{- $_ := set $own "Mail" (include "maintenance.mailSettings" .values.mail | fromYaml) }}
{{- with .values.trustedProxies }}
{{- $_ := set $own "Proxies" (dict "Networks" .) }}
{{- end }}
{{- $_ := set $own "Avatars" (dict "Folder" "/data/avatars") }}
{{- $_ := set $own "Database" (include "maintenance.databaseSettings" .root | fromYaml) }}
{{- end }}
{{- if and .root.Values.postgresql.archive (not .root.Values.postgresql.existingSecretKeys.connectionString) }}
{{- $_ := set $own "Archive" (dict "ConnectionString" (include "maintenance.postgresConnection" .root)) }}
{{- end }}
{{- mergeOverwrite (deepCopy .values.settings) $own | toPrettyJson }}
{{- end -}}

{{- define "maintenance.managementSettings" -}}
{{- if hasPrefix "worker" .component -}}
Port: {{ .values.containerPort | int }}
Address: "*"
{{- if .values.token.requiredEverywhere }}
RequireToken: true
{{- end }}
{{- else -}}
Port: {{ .values.containerPorts.management | int }}
Address: "*"
{{- end -}}
{{- end -}}

{{- define "maintenance.redisSettings" -}}
{{- $redis := .root.Values.redis }}
{{- if .root.Values.trialRedis.enabled }}
Host: {{ include "maintenance.redisHost" .root }}
Port: 6379
{{- else if not $redis.existingSecretKeys.url }}
{{- if $redis.cluster }}
Cluster:
  Endpoints:
    - {{ printf "%s:%d" $redis.host (int $redis.port) | quote }}
    {{- range $redis.clusterNodes }}
    - {{ . | quote }}
    {{- end }}
{{- else }}
Host: {{ $redis.host | quote }}
Port: {{ $redis.port | int }}
Database: {{ $redis.database | int }}
{{- end }}
{{- with default $redis.user .values.redis.user }}
User: {{ . | quote }}
{{- end }}
{{- end }}
KeyPrefix: {{ $redis.keyPrefix | quote }}
{{- if or $redis.tls.enabled $redis.tls.existingSecret }}
Tls:
  {{- if $redis.tls.enabled }}
  Enabled: true
  {{- end }}
  {{- if and $redis.tls.existingSecret $redis.tls.caKey }}
  CaFile: /etc/maintenance/redis-tls/{{ $redis.tls.caKey }}
  {{- end }}
  {{- with $redis.tls.certKey }}
  ClientCertificateFile: /etc/maintenance/redis-tls/{{ . }}
  {{- end }}
  {{- with $redis.tls.privateKeyKey }}
  ClientKeyFile: /etc/maintenance/redis-tls/{{ . }}
  {{- end }}
  {{- with $redis.tls.serverName }}
  ServerName: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "maintenance.redisSecretEnv" -}}
{{- $redis := .root.Values.redis }}
{{- $password := default $redis.existingSecretKeys.password .values.redis.passwordKey }}
{{- if .root.Values.trialRedis.enabled }}
- name: Storage__Redis__Password
  valueFrom:
    secretKeyRef:
      name: {{ default (include "maintenance.trialRedis" .root) $redis.existingSecret }}
      key: {{ $redis.existingSecretKeys.password }}
{{- else if $redis.existingSecret }}
{{- if $redis.existingSecretKeys.url }}
- name: Storage__Redis__Url
  valueFrom:
    secretKeyRef:
      name: {{ $redis.existingSecret }}
      key: {{ $redis.existingSecretKeys.url }}
{{- else if $password }}
- name: Storage__Redis__Password
  valueFrom:
    secretKeyRef:
      name: {{ $redis.existingSecret }}
      key: {{ $password }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The connection string without its password, which Npgsql takes from PGPASSWORD, whatever characters it has. */}}
{{- define "maintenance.postgresConnection" -}}
{{- $postgres := .Values.postgresql -}}
{{- $parts := list
      (printf "Host=%s" $postgres.host)
      (printf "Port=%d" (int $postgres.port))
      (printf "Database=%s" $postgres.database)
      (printf "Username=%s" $postgres.user)
      (printf "SSL Mode=%s" $postgres.sslMode) -}}
{{- if $postgres.tls.existingSecret -}}
{{- $parts = append $parts (printf "Root Certificate=/etc/maintenance/postgresql-tls/%s" $postgres.tls.caKey) -}}
{{- end -}}
{{- join ";" $parts -}}
{{- end -}}

{{- define "maintenance.mailSettings" -}}
{{- if .host }}
Host: {{ .host | quote }}
Port: {{ .port | int }}
{{- end }}
{{- with .user }}
User: {{ . | quote }}
{{- end }}
{{- with .from }}
From: {{ . | quote }}
{{- end }}
{{- with .publicUrl }}
PublicUrl: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "maintenance.databaseSettings" -}}
Provider: PostgreSql
{{- if not .Values.postgresql.existingSecretKeys.connectionString }}
ConnectionString: {{ include "maintenance.postgresConnection" . | quote }}
{{- end }}
{{- end -}}

{{- define "maintenance.databaseSecretEnv" -}}
{{- $keys := .Values.postgresql.existingSecretKeys }}
- name: {{ ternary "Database__ConnectionString" "PGPASSWORD" (ne $keys.connectionString "") }}
  valueFrom:
    secretKeyRef:
      name: {{ .Values.postgresql.existingSecret }}
      key: {{ default $keys.password $keys.connectionString }}
{{- end -}}

{{- define "maintenance.archiveSecretEnv" -}}
{{- include "maintenance.databaseSecretEnv" . | replace "Database__" "Archive__" }}
{{- end -}}

{{/* session-cleanup is configured under Jobs:SessionCleanup. */}}
{{- define "maintenance.jobSection" -}}
{{- range splitList "-" . -}}{{ title . }}{{- end -}}
{{- end -}}

{{/* The runtime's debugger port needs a writable root; nobody attaches here. TLS needs a home, which a user of a cluster's own choice has not. */}}
{{- define "maintenance.runtimeEnv" -}}
- name: DOTNET_EnableDiagnostics
  value: "0"
- name: HOME
  value: /tmp
{{- end -}}

{{- define "maintenance.env" -}}
{{ include "maintenance.runtimeEnv" . }}
{{- include "maintenance.redisSecretEnv" . }}
{{- if eq .component "web-host" }}
{{- include "maintenance.databaseSecretEnv" .root }}
{{- end }}
{{- if .root.Values.postgresql.archive }}
{{- if .root.Values.postgresql.existingSecretKeys.connectionString }}
{{- include "maintenance.archiveSecretEnv" .root }}
{{- else if ne .component "web-host" }}
{{- include "maintenance.archiveSecretEnv" .root }}
{{- end }}
{{- end }}
{{- with .values.mail }}
{{- if .existingSecret }}
- name: Mail__Password
  valueFrom:
    secretKeyRef:
      name: {{ .existingSecret }}
      key: {{ .key }}
{{- end }}
{{- end }}
{{- with .values.token }}
{{- if .existingSecret }}
- name: Management__Token
  valueFrom:
    secretKeyRef:
      name: {{ .existingSecret }}
      key: {{ .key }}
{{- end }}
{{- end }}
{{- with .values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
