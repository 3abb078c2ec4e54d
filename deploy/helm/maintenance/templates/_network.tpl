{{/* A named port, open to the peers (none: everyone) and to the pods of `helm test`. */}}
{{- define "maintenance.ingressRule" -}}
- ports:
    - {port: {{ .port }}, protocol: TCP}
  {{- with .from }}
  from:
    - podSelector:
        matchLabels:
          {{- include "maintenance.selector" (dict "root" $.root "component" "test") | nindent 10 }}
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "maintenance.egressRules" -}}
# Names; 5353 is where some clusters' DNS pods listen.
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
    - {port: 5353, protocol: UDP}
    - {port: 5353, protocol: TCP}
- ports:
    - {port: {{ include "maintenance.redisPort" .root }}, protocol: TCP}
  {{- with .root.Values.networkPolicy.redisTo }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- if include "maintenance.usesPostgres" . }}
- ports:
    - {port: {{ .root.Values.postgresql.port | int }}, protocol: TCP}
  {{- with .root.Values.networkPolicy.postgresqlTo }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- with .root.Values.networkPolicy.outgoingPorts }}
- ports:
    {{- range . }}
    - {port: {{ int . }}, protocol: TCP}
    {{- end }}
{{- end }}
{{- with .root.Values.networkPolicy.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end -}}
